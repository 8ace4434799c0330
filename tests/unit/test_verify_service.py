from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.verify_log import POLICY, SIGNER, SmallLog

from tallystick.note import format_policy
from tallystick.verify.model import CouldNotCheckError
from tallystick.verify.service import load_trust, verify_target

BASE = {
    "tallystick",
    "cryptography",
    "cffi",
    "_cffi_backend",
    "msgspec",
    "httpx",
    "httpcore",
    "h11",
    "anyio",
    "certifi",
    "idna",
}
PROGRAM = """
import sys
sys.path[:0] = {path!r}
class Only:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if not top.startswith("_") and top not in sys.stdlib_module_names and top not in {allowed!r}:
            raise ModuleNotFoundError(f"No module named {{top!r}}", name=top)
sys.meta_path.insert(0, Only())
{body}
"""


def run(body: str, allowed: set[str]) -> str:
    program = PROGRAM.format(path=sys.path, allowed=allowed, body=body)
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_a_reader_brings_is_read_from_files(tmp_path: Path) -> None:
    policy, kept = tmp_path / "policy", tmp_path / "kept"
    policy.write_bytes(format_policy(POLICY))
    kept.write_bytes(SmallLog(3).checkpoint)
    trust = load_trust(keys=[SIGNER.vkey], policy=policy, against=[kept])
    assert (trust.keys, trust.policy) == ((SIGNER.verifier,), POLICY)
    assert [anchor.outside for anchor in trust.against] == [True]
    assert trust.pinned == (SIGNER.verifier, SIGNER.verifier)


def test_what_a_reader_brings_and_is_not_there_or_no_good_ends_the_check_before_it_begins(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_bytes(b"hello\n")
    with pytest.raises(CouldNotCheckError, match="nowhere"):
        load_trust(policy=tmp_path / "nowhere")
    with pytest.raises(CouldNotCheckError, match="nowhere"):
        load_trust(against=[tmp_path / "nowhere"])
    with pytest.raises(CouldNotCheckError):
        load_trust(policy=broken)
    with pytest.raises(CouldNotCheckError):
        load_trust(keys=["not a key"])


def test_what_is_not_there_cannot_be_checked(tmp_path: Path) -> None:
    with pytest.raises(CouldNotCheckError, match="there is no"):
        verify_target(str(tmp_path / "nothing"), load_trust())
    with pytest.raises(CouldNotCheckError, match="holds no ledger"):
        verify_target(str(tmp_path), load_trust())


def test_addresses_and_packages_need_the_base_install_alone(tmp_path: Path) -> None:
    body = (
        "import tallystick.verify.service, tallystick.verify.url, tallystick.verify.package, tallystick.verify.fetch\n"
    )
    run(f"{body}import httpx", BASE)
    directory = f"""
from tallystick.verify.model import CouldNotCheckError
from tallystick.verify.service import load_trust, verify_target
try:
    verify_target({str(tmp_path)!r}, load_trust())
except CouldNotCheckError as error:
    print(error.message, error.advice)
"""
    assert "tallystick[verify]" in run(directory, BASE)


def test_no_kind_of_verification_loads_anything_of_the_server() -> None:
    body = """
import tallystick.verify.service, tallystick.verify.url, tallystick.verify.package, tallystick.verify.directory
print(*sorted({name.split(".")[1] for name in sys.modules if name.startswith("tallystick.")}))
"""
    loaded = run(body, BASE | {"numpy", "pyarrow"}).split()
    assert set(loaded) <= {"errors", "event", "merkle", "note", "segment", "verify"}
