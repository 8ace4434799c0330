"""The events page and the timelines over an empty, a small, a hostile and a large log."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.installation import Installation, installation, sample
from tests.web_pages import FRAGMENT, HTML, Parsed, assert_sound, parse

BIDI = "evil\u202ecod.exe"
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'\"{{7*7}}{% raw %}|safe",
    BIDI,
    "\u0000\u0007\u001b[31m\u2066\u200b",
    '=HYPERLINK("http://evil.example")',
    "javascript:alert(1)",
    "x" * 10_000,
)


def hostile(number: int) -> dict[str, Any]:
    """Return an event whose every free field is something nobody wants to see rendered."""
    bad = HOSTILE[number % len(HOSTILE)]
    key = re.sub(r"[^\x20-\x7e]", "", bad)[:60]
    name = key.strip() or "name"  # identifiers with control or bidirectional characters are refused when they are sent
    return {
        "action": "record.changed",
        "actor": {"id": name, "type": "user", "name": bad, "email": bad[:200]},
        "target": {"id": name, "type": "record", "name": bad},
        "scope": "acme/hostile",
        "occurred_at": "2026-03-01T12:00:00Z",
        "message": bad,
        "reason": bad,
        "context": {"request_id": name, "user_agent": bad},
        "metadata": {key: bad, "nested": {"list": [bad, {key: [bad]}]}},
        "changes": [{"field": name, "old": bad, "new": [bad, {"a": bad}]}],
        "raw": {"vendor": bad},
    }


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation with 450 ordinary events over a month, and a few hostile ones."""
    with installation(Path(tmp_path_factory.mktemp("events"))) as made:
        events = [
            sample(
                actor={"id": f"person-{number % 15}", "type": "user"},
                occurred_at=f"2026-03-{number % 28 + 1:02}T{number % 24:02}:00:00Z",
                outcome="failure" if number % 9 == 0 else "success",
                metadata={"number": number, "ticket": f"OPS-{number % 7}"},
                context={"request_id": f"r-{number // 3}"},
                changes=[{"field": "role", "old": "reader", "new": "writer"}] if number % 5 == 0 else None,
            )
            for number in range(450)
        ]
        for body in (events, [hostile(number) for number in range(len(HOSTILE))]):
            answer = made.post(body)
            assert answer.status_code in {200, 201}, answer.text
        yield made


@pytest.fixture
def look(house: Installation) -> Callable[..., Any]:
    """Return a function that gets a page as a reader of everything."""

    def get(path: str, **headers: str) -> Any:
        return house.http.get(path, headers={**HTML, **house.token(), **headers})

    return get


def found(page: Parsed) -> str:
    """Return how many events the status line speaks of."""
    return page.one("p", class_="status").text.split(" event", maxsplit=1)[0]


@pytest.mark.parametrize(
    "path",
    [
        "/events",
        "/events?q=scope:acme/hostile",
        "/events?q=scope:acme/hostile&cols=time,what,actor,actor.name,target,reason,user_agent,request_id,changes.field",
        "/events?q=outcome:failure&from=2026-03-02&to=2026-03-09&reading=yes&cols=time,metadata.ticket",
        "/events?live=yes",
        "/events?overview=yes",
        "/events/overview?q=scope:acme/hostile",
        "/events?q=action:nothing.at_all&from=-1h",
        "/timeline/actor/person-3",
        "/timeline/target/application/intranet",
        "/timeline/request/r-7",
        "/timeline/actor/nobody",
    ],
)
def test_a_page_keeps_what_every_page_must_keep(look: Callable[..., Any], path: str) -> None:
    answer = look(path)
    assert answer.status_code == 200
    assert_sound(answer)


@pytest.mark.parametrize(
    "path", ["/events", "/events?q=scope:acme/hostile", "/events?q=nothing_there", "/events/overview?q=outcome:failure"]
)
def test_the_fragment_is_a_piece_of_the_page(look: Callable[..., Any], path: str) -> None:
    def settled(text: str) -> str:
        return re.sub(r"\d+ ms|cursor=[\w-]+|as of [\d,]+ entries|to=20[^&\"]+", "", text.strip())

    whole, part = look(path), look(path, **FRAGMENT)
    assert settled(part.text) in settled(whole.text)
    assert "<html" not in part.text


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_hostile_text_is_shown_and_never_obeyed(house: Installation, look: Callable[..., Any], number: int) -> None:
    rows = look("/events.json?q=scope:acme/hostile").json()["rows"]
    opened = look(f"/events/{rows[number]['id']}/row")
    page = assert_sound(opened)
    everything = opened.text + look("/events?q=scope:acme/hostile&cols=time,what,actor.name,reason").text
    read = re.sub(r'(?:value|data-copy)="[^"]*"', "", everything)  # what is not read but sent back or copied is exact
    assert not re.search(r"[\u202e\u2066\u200b\x00\x07\x1b]", read)
    assert "⟨U+202E⟩" in everything
    assert not [each for each in page.elements if each.tag in {"img", "script"} and "alert" in str(each.attributes)]
    assert house.get("/events", q="scope:acme/hostile").status_code == 200


def test_long_values_are_cut_and_say_how_long_they_are(look: Callable[..., Any]) -> None:
    text = look("/events?q=scope:acme/hostile&cols=reason").text
    assert "(10,000 characters)" in text
    assert "x" * 1000 not in text


def test_a_value_narrows_a_facet_excludes_and_a_chip_takes_back(look: Callable[..., Any]) -> None:
    page = assert_sound(look("/events?q=outcome:failure"))
    assert found(page) == "50"
    only = next(each for each in page.all("a", class_="only") if each.text == "person-3")
    narrowed = assert_sound(look(only.attributes["href"]))
    assert 0 < int(found(narrowed)) < 50
    without = next(each for each in page.all("a", class_="not") if "person-3" in each.attributes.get("aria-label", ""))
    assert int(found(assert_sound(look(without.attributes["href"])))) + int(found(narrowed)) == 50
    chips = narrowed.all("a", class_="chip")
    back = next(each for each in chips if each.text.startswith("actor:person-3"))
    assert found(assert_sound(look(back.attributes["href"]))) == "50"


def test_bars_count_what_lies_behind_their_links(look: Callable[..., Any]) -> None:
    view = look("/events.json?q=outcome:failure&from=2026-03-01&to=2026-03-28").json()
    bars = view["overview"]["histogram"]["bars"]
    assert sum(bar["count"] for bar in bars) == view["count"] == 50
    for bar in bars[:5]:
        assert look(bar["href"].replace("/events?", "/events.json?")).json()["count"] == bar["count"]


def test_pages_follow_each_other_without_a_gap_or_a_repeat(look: Callable[..., Any]) -> None:
    path, seen = "/events?q=source:tester -target.type:file", list[int]()
    while path:
        view = look(path.replace("/events?", "/events.json?")).json()
        seen += [row["index"] for row in view["rows"]]
        path = view["older"]
    assert len(seen) == len(set(seen)) == 450 + len(HOSTILE)
    assert seen == sorted(seen, reverse=True)


def test_an_address_with_absolute_times_finds_the_same_later(look: Callable[..., Any]) -> None:
    view = look("/events.json?q=outcome:failure&from=-3000d").json()
    asked = parse_qs(urlsplit(view["window"]["absolute"]).query)
    assert re.match(r"20\d\d-", asked["from"][0])
    assert re.match(r"20\d\d-", asked["to"][0])
    again = look(view["window"]["absolute"].replace("/events?", "/events.json?")).json()
    assert [row["index"] for row in again["rows"]] == [row["index"] for row in view["rows"]]


def test_earlier_and_later_ranges_touch_and_do_not_overlap(look: Callable[..., Any]) -> None:
    def count(path: str) -> int:
        return int(look(path.replace("/events?", "/events.json?")).json()["count"])

    middle = look("/events.json?q=outcome:failure&from=2026-03-11&to=2026-03-15").json()
    both = "/events?q=outcome:failure&from=2026-03-06&to=2026-03-20"
    assert count(middle["window"]["earlier"]) + middle["count"] + count(middle["window"]["later"]) == count(both)


@pytest.mark.parametrize(
    ("query", "marked"),
    [("actor:ana foo:bar", "foo:bar"), ("actor:ana (outcome:failure", ""), ('action:"<b>', "")],
)
def test_a_query_that_cannot_be_read_stays_in_its_field_and_is_marked_where_it_fails(
    house: Installation, query: str, marked: str
) -> None:
    answer = house.http.get("/events", params={"q": query}, headers={**HTML, **house.token()})
    assert answer.status_code == 422
    page = assert_sound(answer)
    assert page.one("input", id="q").attributes["value"] == query
    assert page.one("div", role="alert")
    if marked:
        assert page.one("mark").text == marked


def test_a_part_of_the_page_says_the_same_of_a_query_that_cannot_be_read(house: Installation) -> None:
    answer = house.http.get("/events", params={"q": "foo:bar"}, headers={**FRAGMENT, **house.token()})
    assert answer.status_code == 422
    assert parse(answer).one("div", role="alert")


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"from": "yesterday-ish"}, "query-invalid"),
        ({"cursor": "bm90LW1pbmU"}, "cursor-invalid"),
        ({"cols": "time,drop table"}, "column-unknown"),
        ({"cols": ",".join(f"metadata.m{number}" for number in range(30))}, "column-unknown"),
        ({"scope": "../x"}, "scope-invalid"),
    ],
)
def test_what_cannot_be_asked_is_named(house: Installation, parameters: dict[str, str], code: str) -> None:
    answer = house.http.get("/events", params=parameters, headers={**HTML, **house.token()})
    assert answer.status_code == 422
    assert code in assert_sound(answer).one("div", role="alert").text


@pytest.mark.parametrize(("name", "value"), [("colour", "red"), ("live", "1"), ("reading", "on")])
def test_a_parameter_that_means_nothing_is_refused(house: Installation, name: str, value: str) -> None:
    assert house.http.get("/events", params={name: value}, headers={**HTML, **house.token()}).status_code == 422


def test_nothing_found_offers_what_does_find_something(look: Callable[..., Any]) -> None:
    page = assert_sound(look("/events?q=outcome:failure&from=2026-04-01&to=2026-04-02"))
    assert "No event matches" in page.one("div", class_="empty").text
    view = look("/events.json?q=outcome:failure&from=2026-04-01&to=2026-04-02").json()
    for each in (*view["nothing"]["dropped"], *view["nothing"]["wider"], *view["nothing"]["nearest"]):
        assert look(each["href"].replace("/events?", "/events.json?")).json()["count"] == each["count"]
    assert [each["text"] for each in view["nothing"]["nearest"]] == ["before"]


def test_a_reader_of_one_scope_sees_no_row_no_count_and_no_suggestion_of_another(house: Installation) -> None:
    headers = {**HTML, **house.token("read", "acme/elsewhere", "other")}
    for path in (
        "/events",
        "/events?q=person-3",
        "/timeline/actor/person-3",
        "/events?q=action:user.signed_in&from=-1h",
    ):
        answer = house.http.get(path, headers=headers)
        assert answer.status_code == 200
        assert "intranet" not in answer.text
        assert "first-run" not in answer.text, "others have sent, and this reader may not know"
    view = house.http.get("/events.json", params={"q": "actor:person-3"}, headers=headers).json()
    assert view["rows"] == []
    everything = house.http.get("/events.json", headers=headers).json()
    assert everything["count"] == len(
        [row for row in everything["rows"] if row["cells"][4]["values"][0]["text"] == "acme/elsewhere"]
    )
    assert [each["count"] for each in view["nothing"]["dropped"]] == [everything["count"]]


def test_opening_a_row_is_on_record_as_a_view_of_that_event(house: Installation, look: Callable[..., Any]) -> None:
    row = look("/events.json?q=actor:person-11").json()["rows"][0]
    assert look(f"/events/{row['id']}/row", **FRAGMENT).status_code == 200
    viewed = look(f"/events.json?reading=yes&q=action:event.viewed target:{row['id']}").json()
    assert viewed["count"] == 1


def test_an_opened_row_links_each_value_to_narrowing_excluding_and_its_timeline(look: Callable[..., Any]) -> None:
    row = look("/events.json?q=actor:person-5").json()["rows"][0]
    fields = {field["path"]: field for field in look(f"/events/{row['id']}/row.json").json()["fields"]}
    assert fields["actor.id"]["timeline"] == "/timeline/actor/person-5"
    assert fields["targets[0].id"]["timeline"] == "/timeline/target/application/intranet"
    assert fields["metadata.ticket"]["only"].startswith("/events?q=metadata.ticket%3AOPS-")
    for field in fields.values():
        if field["only"]:
            only = look(field["only"].replace("/events?", "/events.json?")).json()
            assert row["id"] in {each["id"] for each in only["rows"]} or only["older"], field
        if field["timeline"]:
            assert look(field["timeline"]).status_code == 200


def test_columns_keep_the_order_of_the_address_and_offer_their_neighbours(look: Callable[..., Any]) -> None:
    view = look("/events.json?cols=outcome,metadata.ticket,time&q=actor:person-1").json()
    assert [column["name"] for column in view["columns"]] == ["outcome", "metadata.ticket", "time"]
    moved = look(view["columns"][1]["left"].replace("/events?", "/events.json?")).json()
    assert [column["name"] for column in moved["columns"]] == ["metadata.ticket", "outcome", "time"]
    less = look(view["columns"][0]["without"].replace("/events?", "/events.json?")).json()
    assert [column["name"] for column in less["columns"]] == ["metadata.ticket", "time"]
    assert view["rows"][0]["cells"][1]["values"][0]["text"].startswith("OPS-")


def test_a_saved_view_is_in_the_menu_until_it_is_deleted(house: Installation, look: Callable[..., Any]) -> None:
    headers = {**house.token(), "content-type": "application/x-www-form-urlencoded"}
    body = "name=Failures+of+March&q=outcome:failure&from=2026-03-01&to=2026-03-31&cols=time,actor"
    assert house.http.post("/views", content=body, headers=headers, follow_redirects=False).status_code == 303
    (link,) = look("/events.json").json()["saved"]["links"]
    assert link["name"] == "Failures of March"
    shown = look(link["href"].replace("/events?", "/events.json?")).json()
    assert shown["count"] == 50
    assert [column["name"] for column in shown["columns"]] == ["time", "actor"]
    assert shown["saved"]["links"][0]["here"]
    gone = house.http.post(f"/views/{link['id']}/delete", content="", headers=headers, follow_redirects=False)
    assert gone.status_code == 303
    assert not look("/events.json").json()["saved"]["links"]


def test_a_timeline_tells_what_happened_in_order_by_day(look: Callable[..., Any]) -> None:
    view = look("/timeline/actor/person-5.json").json()
    days = [day["day"] for day in view["days"]]
    assert days == sorted(days)
    moments = [moment["occurred_at"] for day in view["days"] for moment in day["moments"]]
    assert moments == sorted(moments)
    assert len(moments) == view["count"] == 30
    assert {moment["actor"][0]["href"] for day in view["days"] for moment in day["moments"]} == {""}
    request = view["days"][0]["moments"][0]["request"]
    assert look(request["href"].replace("/timeline/", "/timeline/") + ".json").json()["count"] >= 1


def test_names_with_slashes_and_endings_have_timelines_of_their_own(house: Installation) -> None:
    from tallystick.web.events.table import timeline_of

    for identity in ("config/app.json", "a b?c#d", "ünï"):
        assert house.post([sample(target={"id": identity, "type": "file"})]).status_code in {200, 201}
        answer = house.http.get(timeline_of("target", "file", identity), headers={**HTML, **house.token()})
        assert found(assert_sound(answer)) == "1"


def test_a_page_of_a_hundred_rows_with_everything_is_small(look: Callable[..., Any]) -> None:
    answer = look("/events?overview=yes", **{"accept-encoding": "gzip"})
    sent = int(answer.headers["content-length"])
    page = assert_sound(answer)
    assert len([each for each in page.all("tr") if "data-row" in each.attributes]) == 100
    assert sent < 60_000


def test_what_extends_htmx_is_loaded_after_it(look: Callable[..., Any]) -> None:
    scripts = [
        each.attributes["src"].rpartition("/")[2] for each in assert_sound(look("/events?live=yes")).all("script")
    ]
    assert scripts.index("htmx.min.js") < scripts.index("hx-sse.min.js")


def test_the_first_run_says_how_to_send_an_event_until_one_came(tmp_path: Path) -> None:
    with installation(tmp_path) as new:
        headers = {**HTML, **new.token()}
        page = assert_sound(new.http.get("/events", headers=headers))
        assert "/api/v1/events" in page.one("section", class_="panel stack first-run").text
        assert new.post([sample()]).status_code in {200, 201}
        assert not assert_sound(new.http.get("/events", headers=headers)).all("section", class_="panel stack first-run")
