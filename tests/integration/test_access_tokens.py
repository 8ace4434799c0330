"""Sources and tokens: what opens, what does not, and that every change is first an event."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.installation import Installation, installation, make_token

from tallystick.access.errors import ScopeInvalidError, TokenInvalidError, TokenMissingError
from tallystick.access.model import Caller
from tallystick.access.operator import OPERATOR
from tallystick.access.sources.errors import SourceConflictError, SourceNameInvalidError, TokenUnknownError
from tallystick.access.sources.model import SourceSettings
from tallystick.testing import ManualClock

DAY_US = 86_400_000_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def home(tmp_path: Path, clock: ManualClock) -> Iterator[Installation]:
    with installation(tmp_path, clock=clock) as opened:
        yield opened


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Return an installation for tests that change nothing."""
    with installation(tmp_path_factory.mktemp("shared")) as opened:
        yield opened


def caller_of(home: Installation, secret: str) -> Caller:
    return home.instance.services.tokens.authenticate(f"Bearer {secret}", address="10.0.0.1", via="api")


def test_a_new_token_registers_its_source_and_both_are_events(home: Installation) -> None:
    make_token(home.instance, "write", "acme/code", "gitlab")
    assert home.actions()[-2:] == ["source.registered", "token.created"]
    (source,) = home.instance.services.sources.list(OPERATOR)
    assert (source.number, source.name) == (1, "gitlab")
    assert source.settings == SourceSettings(scopes=("acme/code",))


def test_a_second_token_of_a_source_does_not_register_it_again(home: Installation) -> None:
    for _ in range(2):
        make_token(home.instance, "write", "acme", "gitlab")
    assert home.actions().count("source.registered") == 1
    assert home.actions().count("token.created") == 2


def test_source_numbers_go_up_and_are_never_used_twice(home: Installation) -> None:
    for name in ("one", "two", "three"):
        make_token(home.instance, "write", "/", name)
    assert [(source.number, source.name) for source in home.instance.services.sources.list(OPERATOR)] == [
        (1, "one"),
        (2, "two"),
        (3, "three"),
    ]


def test_sources_registered_at_the_same_time_get_numbers_of_their_own(home: Installation) -> None:
    def register(number: int) -> None:
        make_token(home.instance, "write", "/", f"source-{number % 8}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(register, range(24)))
    sources = home.instance.services.sources.list(OPERATOR)
    assert sorted(source.number for source in sources) == list(range(1, 9))
    assert len({source.name for source in sources}) == 8
    assert len(home.instance.services.tokens.list(OPERATOR)) == 24


@pytest.mark.parametrize(
    ("can", "scope", "writes", "reads"),
    [
        ("write", "acme", ("acme",), ()),
        ("read", "acme", None, ("acme",)),
        ("both", "/", ("",), ("",)),
    ],
)
def test_a_token_opens_exactly_what_it_names(
    home: Installation, can: str, scope: str, writes: tuple[str, ...] | None, reads: tuple[str, ...]
) -> None:
    created = make_token(home.instance, can, scope, "app")
    caller = caller_of(home, created.secret)
    assert (caller.write.scopes if caller.write else None) == writes
    assert caller.read_scopes == reads


def test_the_narrower_scope_of_a_token_binds_what_it_writes(home: Installation) -> None:
    make_token(home.instance, "write", "acme", "app")
    narrow = make_token(home.instance, "write", "acme/payments", "app")
    caller = caller_of(home, narrow.secret)
    assert caller.write is not None
    assert caller.write.scopes == ("acme/payments",)


def test_a_source_takes_no_token_for_a_wider_scope(home: Installation) -> None:
    make_token(home.instance, "write", "acme", "app")
    before = home.actions()
    for scope in ("/", "other", "acme2"):
        with pytest.raises(SourceConflictError):
            make_token(home.instance, "read", scope, "app")
    assert home.actions() == before


def test_a_source_with_opaque_ids_takes_no_token_for_personal_ones(home: Installation) -> None:
    make_token(home.instance, "write", "/", "app")
    with pytest.raises(SourceConflictError):
        home.instance.services.sources.ensure(OPERATOR, "app", SourceSettings(actor_ids="personal"))


def test_a_refused_token_leaves_no_secret_behind(home: Installation, tmp_path: Path) -> None:
    with pytest.raises(SourceNameInvalidError):
        make_token(home.instance, "write", "/", "../etc")
    with sqlite3.connect(tmp_path / "data" / "secrets.db") as secrets:
        assert secrets.execute("select count(*) from secret").fetchone() == (0,)
    secrets.close()


@pytest.mark.parametrize("scope", ["", "//", "/acme", "acme/", "a b", "acme//x", "é", "a" * 513])
def test_what_is_not_a_scope_is_refused(shared: Installation, scope: str) -> None:
    with pytest.raises(ScopeInvalidError):
        make_token(shared.instance, "write", scope, "app")


@pytest.mark.parametrize("name", ["", "-x", "a b", "a/b", "a" * 65, "ä", "a\n"])
def test_what_cannot_name_a_source_is_refused(shared: Installation, name: str) -> None:
    with pytest.raises(SourceNameInvalidError):
        make_token(shared.instance, "write", "/", name)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "tsk_0"])
def test_without_a_token_nobody_is_anybody(shared: Installation, header: str | None) -> None:
    with pytest.raises(TokenMissingError):
        shared.instance.services.tokens.authenticate(header, address="10.0.0.1", via="api")


def test_a_token_that_differs_in_one_character_opens_nothing(home: Installation) -> None:
    secret = make_token(home.instance, "both", "/", "app").secret
    for at in range(len(secret)):
        wrong = secret[:at] + ("A" if secret[at] != "A" else "B") + secret[at + 1 :]
        with pytest.raises(TokenInvalidError):
            caller_of(home, wrong)
    for wrong in (secret[:-1], secret + "A", "x" * 10_000, secret.upper()):
        with pytest.raises(TokenInvalidError):
            caller_of(home, wrong)


def test_a_token_ends_at_its_time_even_when_the_clock_is_set_back(home: Installation, clock: ManualClock) -> None:
    created = make_token(home.instance, "both", "/", "app", expires_at=clock.now_us() + DAY_US)
    clock.advance(86_399)
    assert caller_of(home, created.secret).name == "app"
    clock.advance(1)
    with pytest.raises(TokenInvalidError):
        caller_of(home, created.secret)
    make_token(home.instance, "read", "/", "other")  # an event stamps the present
    clock.step(-86_400)
    with pytest.raises(TokenInvalidError):
        caller_of(home, created.secret)


def test_a_revoked_token_opens_nothing_at_once_and_after_a_restart(tmp_path: Path) -> None:
    with installation(tmp_path) as home:
        created = make_token(home.instance, "both", "/", "app")
        caller_of(home, created.secret)
        home.instance.services.tokens.revoke(OPERATOR, created.token)
        home.instance.services.tokens.revoke(OPERATOR, created.token)
        assert home.actions().count("token.revoked") == 1
        with pytest.raises(TokenInvalidError):
            caller_of(home, created.secret)
        assert [token.state(0) for token in home.instance.services.tokens.list(OPERATOR)] == ["revoked"]
    with installation(tmp_path) as home, pytest.raises(TokenInvalidError):
        caller_of(home, created.secret)


def test_revoking_what_there_is_not_says_so(shared: Installation) -> None:
    with pytest.raises(TokenUnknownError):
        shared.instance.services.tokens.revoke(OPERATOR, "0123456789ab")


def test_a_token_opens_after_a_restart(tmp_path: Path) -> None:
    with installation(tmp_path) as home:
        created = make_token(home.instance, "both", "/", "app")
    with installation(tmp_path) as home:
        assert caller_of(home, created.secret).name == "app"


def test_the_secret_is_stored_nowhere(tmp_path: Path) -> None:
    with installation(tmp_path) as home:
        secret = make_token(home.instance, "both", "/", "app").secret.encode()
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or secret[17:] not in path.read_bytes(), path


def test_a_hash_swapped_in_the_secrets_opens_nothing(tmp_path: Path) -> None:
    with installation(tmp_path) as home:
        mine = make_token(home.instance, "write", "acme", "app")
        other = make_token(home.instance, "both", "/", "root")
    with sqlite3.connect(tmp_path / "data" / "secrets.db") as secrets:
        nonce, digest = secrets.execute("select nonce, record from secret where name = ?", (mine.token,)).fetchone()
        secrets.execute("update secret set nonce = ?, record = ? where name = ?", (nonce, digest, other.token))
    secrets.close()
    with installation(tmp_path) as home:
        assert caller_of(home, mine.secret).name == "app"
        forged = mine.secret.replace(mine.token, other.token)
        for secret in (forged, other.secret):
            with pytest.raises(TokenInvalidError):
                caller_of(home, secret)


def test_a_secret_without_its_event_opens_nothing(tmp_path: Path) -> None:
    with installation(tmp_path) as home:
        created = make_token(home.instance, "both", "/", "app")
        with home.instance.projection.engine.begin() as connection:
            connection.execute(text("delete from token"))
    with installation(tmp_path) as home, pytest.raises(TokenInvalidError):
        caller_of(home, created.secret)


def test_the_secrets_can_be_read_by_their_owner_only(home: Installation, tmp_path: Path) -> None:
    assert (tmp_path / "data" / "secrets.db").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
