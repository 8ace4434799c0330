"""An identity provider as OpenID Connect describes it: what it says of itself, its keys, and its tokens.

Everything fetched is limited in size and time, follows no redirect, and comes from the configured issuer alone.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote_plus

import httpx
import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from tallystick.access.people.errors import ProviderUnreachableError, SignInRefusedError
from tallystick.clock import Clock

ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA")
"""No symmetric one, and never none: a client's secret must not be able to sign for the provider."""
LEEWAY_S: Final = 60
ANSWER_BYTES_MAX: Final = 1 << 20
WAIT_S: Final = 5.0
KEPT_S: Final = 3600.0
REFETCH_S: Final = 60.0
_ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """Which provider, and what it knows us as."""

    issuer: str
    client_id: str
    client_secret: str | None = field(repr=False)
    scopes: tuple[str, ...]
    groups_claim: str
    name: str


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the provider says of itself, as far as it matters here."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    names_itself: bool
    """Whether its answers carry `iss`, so that one provider's cannot be passed off as another's (RFC 9207)."""


class Provider:
    """One provider over the network; may be used from any thread. `transport` replaces the network."""

    def __init__(self, settings: ProviderSettings, clock: Clock, transport: httpx.BaseTransport | None = None) -> None:
        self.settings = settings
        self._clock = clock
        self._http = httpx.Client(timeout=WAIT_S, follow_redirects=False, transport=transport, trust_env=False)
        self._lock = threading.Lock()
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, KeySet] | None = None

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def metadata(self) -> Metadata:
        """Return what the provider says of itself. Raises ProviderUnreachableError."""
        with self._lock:
            now = self._clock.monotonic_s()
            if self._metadata is None or now - self._metadata[0] > KEPT_S:
                self._metadata = (now, self._discover())
            return self._metadata[1]

    def exchange(self, code: str, verifier: str, redirect_uri: str) -> Mapping[str, Any]:
        """Return the answer to a code: it has an ID token. Raises SignInRefusedError when the provider refuses it."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
            "client_id": self.settings.client_id,
        }
        secret = self.settings.client_secret
        auth = None
        if secret is not None:
            del form["client_id"]
            auth = httpx.BasicAuth(_form_encoded(self.settings.client_id), _form_encoded(secret))
        return self._ask("POST", self.metadata().token_endpoint, data=form, auth=auth)

    def verify(self, answer: Mapping[str, Any], nonce: str, now_s: float) -> Mapping[str, Any]:
        """Return the claims of the ID token in an answer.

        Checked are the signature by a key of the provider, exact issuer and audience, times with a minute of leeway,
        the nonce, and `at_hash` where there is one. Raises SignInRefusedError.
        """
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise _refused()
        decoded = self._decode(token)
        claims, audience = decoded.claims, decoded.claims.get("aud")
        audiences = [audience] if isinstance(audience, str) else audience
        mine = self.settings.client_id
        times = [claims.get(name) for name in ("exp", "iat")]
        sound = (
            claims.get("iss") == self.settings.issuer
            and isinstance(audiences, list)
            and mine in audiences
            and (len(audiences) == 1 or claims.get("azp") == mine)
            and claims.get("azp", mine) == mine
            and all(isinstance(each, int | float) and not isinstance(each, bool) for each in times)
            and claims["exp"] > now_s - LEEWAY_S
            and claims["iat"] < now_s + LEEWAY_S
            and isinstance(claims.get("nbf", 0), int | float)
            and claims.get("nbf", 0) < now_s + LEEWAY_S
            and isinstance(claims.get("nonce"), str)
            and hmac.compare_digest(claims["nonce"].encode(), nonce.encode())
            and isinstance(claims.get("sub"), str)
            and 0 < len(claims["sub"]) <= 255
            and _fits(claims.get("at_hash"), answer.get("access_token"), decoded.header["alg"])
        )
        if not sound:
            raise _refused()
        return claims

    def _decode(self, token: str) -> jwt.Token:
        for again in (False, True):
            try:
                return jwt.decode(token, self._key_set(again=again), algorithms=list(ALGORITHMS))
            except (JoseError, ValueError, KeyError, TypeError):
                if again:
                    raise _refused() from None
        raise AssertionError("the second try returns or raises")

    def _key_set(self, *, again: bool) -> KeySet:
        """Return the provider's keys; `again` asks anew for one that is missing, at most once a minute."""
        uri = self.metadata().jwks_uri
        with self._lock:
            now = self._clock.monotonic_s()
            if self._keys is None or now - self._keys[0] > (REFETCH_S if again else KEPT_S):
                answer = self._ask("GET", uri)
                try:
                    self._keys = (now, KeySet.import_key_set({"keys": list(answer["keys"])}))
                except (JoseError, ValueError, KeyError, TypeError) as error:
                    raise ProviderUnreachableError("the keys of the identity provider cannot be read") from error
            return self._keys[1]

    def _discover(self) -> Metadata:
        issuer = self.settings.issuer
        found = self._ask("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != issuer:
            raise ProviderUnreachableError("the identity provider calls itself something else than oidc.issuer says")
        endpoints = {name: found.get(name) for name in _ENDPOINTS}
        scheme = issuer.partition(":")[0]
        for name, value in endpoints.items():
            if not isinstance(value, str) or value.partition(":")[0] not in {"https", scheme}:
                raise ProviderUnreachableError(f"the identity provider names no usable {name}")
        names_itself = found.get("authorization_response_iss_parameter_supported") is True
        return Metadata(**{name: str(value) for name, value in endpoints.items()}, names_itself=names_itself)

    def _ask(self, method: str, url: str, **content: Any) -> Mapping[str, Any]:
        body = bytearray()
        try:
            with self._http.stream(method, url, headers={"accept": "application/json"}, **content) as answer:
                for chunk in answer.iter_bytes():
                    body += chunk
                    if len(body) > ANSWER_BYTES_MAX:
                        raise ProviderUnreachableError("the identity provider answers at too great a length")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ProviderUnreachableError("the identity provider does not answer") from error
        if method == "POST" and answer.status_code in {400, 401}:
            raise _refused()
        try:
            found = msgspec.json.decode(bytes(body))
        except msgspec.DecodeError as error:
            raise ProviderUnreachableError("the identity provider does not answer in JSON") from error
        if answer.status_code != httpx.codes.OK or not isinstance(found, dict):
            raise ProviderUnreachableError(f"the identity provider answers with status {answer.status_code}")
        return found


def _fits(at_hash: object, access_token: object, algorithm: str) -> bool:
    """Return whether the hash of the access token is right, where the ID token has one."""
    if at_hash is None:
        return True
    if not isinstance(at_hash, str) or not isinstance(access_token, str):
        return False
    digest = hashlib.new("sha512" if algorithm == "EdDSA" else "sha256", access_token.encode()).digest()
    half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).decode().rstrip("=")
    return hmac.compare_digest(half.encode(), at_hash.encode())


def _form_encoded(text: str) -> str:
    """Return a client's id or secret as RFC 6749 section 2.3.1 wants them in a Basic header."""
    return quote_plus(text)


def _refused() -> SignInRefusedError:
    return SignInRefusedError("this does not sign anybody in")
