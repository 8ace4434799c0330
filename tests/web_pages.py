"""Pages as tests look at them: the elements of the markup, and what every page must keep."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx

from tallystick.web.headers import CONTENT_SECURITY_POLICY

HTML = {"accept": "text/html,application/xhtml+xml"}
FRAGMENT = {**HTML, "hx-request": "true"}
_LABELLED = ("input", "select", "textarea")
#: Tags of the templates; anything else in a page would have come out of an event.
_ALIEN = {"script", "iframe", "object", "embed", "img", "marquee", "base", "math", "animate", "set", "foreignobject"}


@dataclass
class Element:
    """One element with its attributes and the text directly and indirectly within it."""

    tag: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Parsed(HTMLParser):
    """The elements of a page, in order."""

    elements: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in {"input", "meta", "link", "hr", "br", "rect", "path"}:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop().tag != tag:
            pass

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Return the elements of a tag that have these attributes."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [each for each in self.elements if each.tag == tag and wanted.items() <= each.attributes.items()]

    def one(self, tag: str, **attributes: str) -> Element:
        """Return the only such element."""
        (found,) = self.all(tag, **attributes)
        return found

    def hrefs(self) -> list[str]:
        """Return the addresses of all links."""
        return [each.attributes["href"] for each in self.all("a") if "href" in each.attributes]


def parse(response: httpx.Response) -> Parsed:
    """Return the elements of an answer."""
    assert response.headers["content-type"] == "text/html; charset=utf-8", response.text[:500]
    parsed = Parsed()
    parsed.feed(response.text)
    return parsed


def assert_sound(response: httpx.Response) -> Parsed:
    """Return the elements of a page that keeps what every page must keep."""
    page = parse(response)
    assert len(page.all("h1")) == 1
    labels = {label.attributes.get("for") for label in page.all("label")}
    for element in page.elements:
        kind = element.attributes.get("type", "")
        if element.tag in _LABELLED and kind != "hidden":
            assert element.attributes.get("id") in labels or "aria-label" in element.attributes, element
        assert not [name for name in element.attributes if name.startswith("on") or name == "style"], element
        assert element.tag not in _ALIEN - {"script"}, element
        assert element.tag != "script" or element.attributes["src"].startswith("/static/"), element
    identities = [each.attributes["id"] for each in page.elements if "id" in each.attributes]
    assert len(identities) == len(set(identities))
    assert all(href.startswith(("/", "#")) and not href.startswith("//") for href in page.hrefs())
    headers: Any = response.headers
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert "HX-Request" in headers["vary"]
    return page
