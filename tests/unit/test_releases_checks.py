"""What a release, a milestone and an asset may be called and hold, each refusal with its place and limit."""

from __future__ import annotations

import pytest

from tallystick.access.errors import ScopeInvalidError
from tallystick.releases.check import (
    check_asset_name,
    check_description,
    check_draft,
    check_edit,
    check_link,
    check_milestones,
    check_size,
)
from tallystick.releases.errors import ReleaseInvalidError, ReleaseTooLargeError
from tallystick.releases.model import DESCRIPTION_BYTES_MAX, FILE_BYTES_MAX, MILESTONES_MAX, Draft, Edit

GOOD = Draft("acme/app", "v0.3", "New Release", "What is new:\n\t- all of it", "0a1b2c3", ("M1", "M2"))


def test_a_good_release_is_taken() -> None:
    check_draft(GOOD)
    check_edit(Edit())


@pytest.mark.parametrize("scope", ["", "/", "acme//app", "../etc", "acme/app/", "a b"])
def test_a_release_lies_in_a_scope(scope: str) -> None:
    with pytest.raises(ScopeInvalidError):
        check_draft(Draft(scope, "v1", "One"))


@pytest.mark.parametrize(
    ("tag", "name", "commit", "pointer"),
    [
        ("", "One", None, "/tag"),
        ("  ", "One", None, "/tag"),
        ("v1 ", "One", None, "/tag"),
        ("v1\n", "One", None, "/tag"),
        ("v" * 129, "One", None, "/tag"),
        ("v1", "", None, "/name"),
        ("v1", "n" * 256, None, "/name"),
        ("v1", "safe\u202egpj.exe", None, "/name"),
        ("v1", "two\nlines", None, "/name"),
        ("v1", "One", "main", "/commit"),
        ("v1", "One", "0A1B2C3", "/commit"),
        ("v1", "One", "0a1b2c3\n", "/commit"),
    ],
)
def test_a_line_that_hides_or_overflows_is_refused_with_its_place(
    tag: str, name: str, commit: str | None, pointer: str
) -> None:
    with pytest.raises((ReleaseInvalidError, ReleaseTooLargeError)) as refused:
        check_draft(Draft("acme", tag, name, commit=commit))
    assert refused.value.pointer == pointer


@pytest.mark.parametrize("text", ["x" * (DESCRIPTION_BYTES_MAX - 1), "ü" * (DESCRIPTION_BYTES_MAX // 2), '"' * 40_000])
def test_a_huge_description_is_refused_with_the_limit(text: str) -> None:
    with pytest.raises(ReleaseTooLargeError, match=f"{DESCRIPTION_BYTES_MAX:,} bytes"):
        check_description(text)


def test_the_largest_description_is_taken() -> None:
    check_description("x" * (DESCRIPTION_BYTES_MAX - 2))


@pytest.mark.parametrize("character", ["\x00", "\x07", "\x1b", "\r"])
def test_a_description_is_text(character: str) -> None:
    with pytest.raises(ReleaseInvalidError):
        check_description(f"one{character}two")


def test_milestones_are_few_and_each_is_named_once() -> None:
    check_milestones(tuple(f"M{number}" for number in range(MILESTONES_MAX)))
    with pytest.raises(ReleaseTooLargeError):
        check_milestones(tuple(f"M{number}" for number in range(MILESTONES_MAX + 1)))
    with pytest.raises(ReleaseInvalidError):
        check_milestones(("M1", "M1"))


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../../etc/passwd", "a/b", "a\\b", "..\\..\\x", "nul\x00", "\u202etxt.exe", "a\nb", " a"]
)
def test_the_name_of_an_asset_is_never_a_path_and_hides_nothing(name: str) -> None:
    with pytest.raises(ReleaseInvalidError):
        check_asset_name(name)


@pytest.mark.parametrize("name", ["app.tar.gz", ".env", "<script>alert(1)</script>", "ü 1.bin", "..a", "%2e%2e"])
def test_any_other_name_will_do(name: str) -> None:
    if "/" in name:
        with pytest.raises(ReleaseInvalidError):
            check_asset_name(name)
    else:
        check_asset_name(name)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/a",
        "https:///a",
        "https://",
        "javascript:alert(1)",
        "data:text/html,x",
        "//example.org/a",
        "https://ana:secret@example.org/a",
        "https://example.org/a b",
        "https://example.org/\x07",
        'https://example.org/"onclick=x',
        "https://example.org/\u202e",
        "https://example.org:port/",
        "https://[::1/",
        "https:\\\\example.org",
    ],
)
def test_a_link_leads_over_https_to_a_host_and_names_nobody(url: str) -> None:
    with pytest.raises(ReleaseInvalidError):
        check_link(url)


def test_a_good_link_is_taken_and_a_long_one_is_not() -> None:
    check_link("https://example.org:8443/a/b.tar.gz?x=1#y")
    with pytest.raises(ReleaseTooLargeError):
        check_link("https://example.org/" + "a" * 2048)


def test_a_large_file_is_refused_with_the_limit() -> None:
    check_size(FILE_BYTES_MAX)
    with pytest.raises(ReleaseTooLargeError, match=f"{FILE_BYTES_MAX:,} are stored"):
        check_size(FILE_BYTES_MAX + 1)
