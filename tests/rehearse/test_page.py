"""The report, as a browser would take it in: elements, their attributes and their text."""

from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from slipway.rehearse.page import Check, Page, Played, Priced, Span, html

#: Ends whatever it could stand in: a text, an attribute, a title, a style.
EVIL = '</title></style>\'" onclick="alert(1)"><script>alert({})</script>'


class Reader(HTMLParser):
    """All elements with their attributes, and all text that is not style."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.text = ""
        self._style = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._style = tag == "style"

    def handle_endtag(self, tag):
        self._style = self._style and tag != "style"

    def handle_data(self, data):
        self.text += "" if self._style else data

    def of_class(self, name):
        return [attrs for _, attrs in self.elements if name in (attrs.get("class") or "").split()]


def span(name="create vpc", started=0.0, ended=1.0, **other):
    return Span(**{"half": "engine", "group": "up", "outcome": "done"} | other, name=name, started=started, ended=ended)


@pytest.fixture
def page():
    return Page(
        environment="dev",
        verdict="Delivered 3f2a91c",
        delivered=True,
        seconds=20.0,
        url="https://registry.example.com",
        commit="3f2a91c0",
        commits=1,
        spans=[span(), span("harbor", 10.0, 15.0, half="Flux", group="HelmRelease")],
        checks=[Check(name="the release is ready", passed=True, detail="revision 1")],
        files={"apps/harbor/release.yaml": "kind: HelmRelease\nspec: {}\n"},
        played=[Played(name="AWS", limits="Quotas are unproven.")],
        costs=[Priced(service="EC2", monthly=134.8, what="nodes: 2 t3a.large")],
        facts={"Real time on AWS": "about 16 minutes"},
    )


def percent(attributes, name):
    """Give a number of an element's inline style."""
    styles = dict(part.split(":") for part in attributes["style"].split(";"))
    return float(styles[name].rstrip("%px"))


def test_all_of_it_is_on_the_page(page):
    text = Reader(html(page)).text

    for part in [
        *("dev", "Delivered 3f2a91c", "20.0 s", "https://registry.example.com", "3f2a91c0"),
        *("create vpc", "HelmRelease", "harbor", "the release is ready", "revision 1", "1 of 1"),
        *("release.yaml", "kind: HelmRelease\nspec: {}\n", "1 file, 2 lines", "AWS", "Quotas are unproven."),
        *("Real time on AWS", "about 16 minutes"),
    ]:
        assert part in text


def test_no_field_brings_in_an_element_or_an_attribute():
    fields = iter(range(100))

    def evil():
        return EVIL.format(next(fields))

    page = Page(
        environment=evil(),
        verdict=f"{evil()}\n{evil()}",
        delivered=False,
        seconds=2.0,
        url=evil(),
        commit=evil(),
        commits=0,
        spans=[span(evil(), group=evil(), detail=evil(), outcome="failed")],
        checks=[Check(name=evil(), passed=False, detail=evil())],
        files={evil(): evil()},
        played=[Played(name=evil(), limits=evil())],
        costs=[Priced(service=evil(), monthly=1.0, what=evil())],
        facts={evil(): evil()},
    )
    count = next(fields)
    reader = Reader(html(page))

    assert [tag for tag, _ in reader.elements if tag == "script"] == []
    assert [attrs for _, attrs in reader.elements if any(name.startswith("on") for name in attrs)] == []
    assert [number for number in range(count) if EVIL.format(number) not in reader.text] == []


def test_it_loads_nothing(page):
    elements = Reader(html(page)).elements
    addresses = [attrs.get("src") or attrs.get("href") or "" for _, attrs in elements]

    assert not {tag for tag, _ in elements} & {"script", "img", "iframe", "object", "embed"}
    assert [address for address in addresses if address and not address.startswith(("#", "data:"))] == []
    assert "@import" not in html(page)
    assert "url(" not in html(page)


def test_the_same_page_gives_the_same_bytes_whatever_the_order_of_its_spans(page):
    spans = [*page.spans, *(span(f"{number}", number % 3, 4.0) for number in range(30))]

    assert html(replace(page, spans=spans)) == html(replace(page, spans=spans[::-1]))


def test_both_halves_stand_on_one_axis(page):
    engine, flux = (bar for bar in Reader(html(page)).of_class("bar") if "style" in bar)

    assert (percent(engine, "left"), percent(engine, "width")) == (0, 5)
    assert (percent(flux, "left"), percent(flux, "width")) == (50, 25)
    assert "harbor: 5.0 s" in flux["title"]


def test_the_axis_holds_a_span_that_ends_after_the_rehearsal(page):
    reader = Reader(html(replace(page, seconds=1.0)))

    assert max(percent(bar, "left") + percent(bar, "width") for bar in reader.of_class("bar") if "style" in bar) == 100


def test_of_many_spans_the_longest_ten_and_those_that_failed_are_named(page):
    spans = [span(f"resource {number:03}", number / 50, number / 50 + 0.1 + number / 1000) for number in range(400)]
    spans[3] = replace(spans[3], outcome="failed", detail="no quota")
    text = html(replace(page, spans=spans))
    reader = Reader(text)

    assert len([bar for bar in reader.of_class("bar") if "style" in bar]) == 400
    assert len(reader.of_class("label")) == 11
    assert "✕ <small>103 ms</small> resource 003<" in text
    assert all(f"</small> resource {number}<" in text for number in range(390, 400))
    assert "no quota" in reader.text


def test_bars_of_one_lane_do_not_lie_on_each_other(page):
    spans = [span(f"{number}", number % 7, number % 7 + 0.01 + number % 5) for number in range(120)]
    bars = [bar for bar in Reader(html(replace(page, spans=spans))).of_class("bar") if "style" in bar]
    rows = {}
    for bar in bars:
        rows.setdefault(percent(bar, "top"), []).append((percent(bar, "left"), percent(bar, "width")))

    assert len(bars) == 120
    for row in rows.values():
        row.sort()
        assert all(left + width <= after + 0.01 for (left, width), (after, _) in pairwise(row))


def test_a_check_that_failed_says_so_in_words(page):
    checks = [Check(name="good", passed=True), Check(name="bad", passed=False, detail="0 of 3")]
    text = Reader(html(replace(page, checks=checks, delivered=False))).text

    assert "FAILED" in text
    assert "1 of 2" in text
    assert "1 does not hold" in text
    assert "FAILED" not in Reader(html(page)).text


def test_what_failed_stands_before_the_timeline(page):
    failed = span("create database", outcome="failed", detail="no quota")
    text = Reader(html(replace(page, spans=[failed], delivered=False, verdict="The engine failed\nno quota"))).text

    assert text.index("What failed") < text.index("create database") < text.index("Timeline")


def test_a_rehearsal_that_came_to_nothing_has_a_page(page):
    nothing = replace(page, seconds=0.0, commit="", commits=0, spans=[], checks=[], files={}, played=[], facts={})
    text = Reader(html(nothing)).text

    assert "Nothing ran." in text
    assert "Nothing was checked." in text
    assert "all hold" not in text
    assert "Nothing was committed." in text


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.0, "0 ms"), (0.25, "250 ms"), (0.9997, "1.0 s"), (59.9, "59.9 s"), (59.97, "1 min 0 s"), (125.4, "2 min 5 s")],
)
def test_durations(page, seconds, shown):
    assert f"Rehearsed in{shown}wall clock" in Reader(html(replace(page, seconds=seconds, spans=[]))).text


@pytest.mark.parametrize(
    ("seconds", "first", "last"), [(0.5, "0 s", "0.4 s"), (23.0, "0 s", "20 s"), (900.0, "0 min", "14 min")]
)
def test_the_axis_has_round_marks(page, seconds, first, last):
    text = html(replace(page, seconds=seconds, spans=[]))
    marks = text.split('<div class="axis">')[1].split("</div>")[0]

    assert Reader(marks).text.startswith(first)
    assert Reader(marks).text.endswith(last)


def test_a_month_on_aws_is_told_by_service(page):
    assert "EC2 $134.80" in Reader(html(page)).text
    assert "A month on AWS" not in Reader(html(replace(page, costs=()))).text
