"""How the picture is drawn: nothing overlaps, nothing is cut off, and the same graph gives the same bytes."""

from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from slipway.diagram.draw import svg_of
from slipway.diagram.layout import Rect, lay_out
from slipway.diagram.paths import paths_of
from slipway.diagram.read import picture_of
from slipway.diagram.style import FLOWS, FRAMES, INK, MUTED, PAPER, SIGNS, SURFACES, text_width
from tests.diagram.graphs import VARIANTS, edited, picture, variant
from tests.diagram.test_picture import DATABASE_RULE

ROOT = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"

drawn = pytest.mark.parametrize("name", VARIANTS)


def parsed(name: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg_of(picture(name)))


def overlap(one: Rect, other: Rect) -> bool:
    return one.x < other.right and other.x < one.right and one.y < other.bottom and other.y < one.bottom


@drawn
def test_no_two_boxes_overlap(name):
    boxes = lay_out(picture(name)).boxes

    assert set(boxes) == {box.id for box in picture(name).boxes}
    assert [(a, b) for a, b in combinations(boxes, 2) if overlap(boxes[a], boxes[b])] == []


@drawn
def test_each_box_is_inside_its_frames(name):
    shown, layout = picture(name), lay_out(picture(name))

    def inside(inner: Rect, outer: Rect) -> bool:
        return inner.x >= outer.x and inner.y >= outer.y and inner.right <= outer.right and inner.bottom <= outer.bottom

    for tier in shown.tiers:
        for row in tier.rows:
            for box in row.boxes:
                rect = layout.boxes[box.id]
                assert inside(rect, layout.bands[row.id])
                assert all(overlap(rect, layout.subnets[tier.id, zone]) for zone in box.zones)
                strangers = set(shown.zones) - set(box.zones)
                assert not any(overlap(rect, layout.zones[zone]) for zone in strangers)
    assert all(inside(rect, layout.vpc) for rect in layout.subnets.values())
    assert all(inside(layout.boxes[box.id], layout.region) for box in shown.services)


@drawn
def test_no_line_goes_through_a_box(name):
    shown, layout = picture(name), lay_out(picture(name))
    crossed = []
    for path in paths_of(shown, layout):
        for (x1, y1), (x2, y2) in pairwise(path.points):
            assert x1 == x2 or y1 == y2
            line = Rect(min(x1, x2), min(y1, y2), abs(x1 - x2), abs(y1 - y2))
            crossed += [(path.flow, box) for box, rect in layout.boxes.items() if overlap(line, rect)]

    assert crossed == []


@drawn
def test_every_line_ends_at_what_it_connects(name):
    shown, layout = picture(name), lay_out(picture(name))
    places = {**layout.bands, **layout.boxes}

    def touches(point: tuple[float, float], rect: Rect) -> bool:
        x, y = point
        upright = x in (rect.x, rect.right) and rect.y <= y <= rect.bottom
        return upright or (y in (rect.y, rect.bottom) and rect.x <= x <= rect.right)

    for path in paths_of(shown, layout):
        assert touches(path.points[0], places[path.flow.source]), path.flow
        assert touches(path.points[-1], places[path.flow.target]), path.flow


@drawn
def test_all_text_is_inside_the_page(name):
    root = parsed(name)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    texts = list(root.iter(f"{SVG}text"))

    assert len(texts) > 40
    for text in texts:
        size, x, y = (float(text.attrib[key]) for key in ("font-size", "x", "y"))
        long = text_width(text.text or "", size, bold=text.get("font-weight") == "600")
        left = x - {"middle": long / 2, "end": long}.get(text.get("text-anchor", "start"), 0)
        assert left >= 0, text.text
        assert left + long <= width, text.text
        assert size <= y <= height - 2, text.text


@drawn
def test_it_is_one_small_file_that_loads_nothing(name):
    text = svg_of(picture(name))
    root = ElementTree.fromstring(text)

    assert len(text.encode()) < 100_000
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        *("svg", "title", "desc", "defs", "marker", "path", "rect", "text"),
    }
    assert [
        value for element in root.iter() for value in element.attrib.values() if "url(" in value and "#" not in value
    ] == []


def test_it_can_be_read_without_being_seen():
    root = parsed("ha")
    title, desc = root.find(f"{SVG}title"), root.find(f"{SVG}desc")

    assert root.attrib["role"] == "img"
    assert root.attrib["aria-labelledby"] == "title desc"
    assert title is not None
    assert (title.get("id"), title.text) == ("title", "Harbor on AWS: ha")
    assert desc is not None
    assert "nodes to database: TCP 5432." in (desc.text or "")


def test_it_has_its_own_background():
    root = parsed("ha")
    first = next(root.iter(f"{SVG}rect"))
    _, _, width, height = root.attrib["viewBox"].split()

    assert (first.get("width"), first.get("height"), first.get("fill")) == (width, height, "#ffffff")


def test_the_order_of_registration_makes_no_difference():
    graph = variant("large")
    backwards = replace(graph, nodes=graph.nodes[::-1])

    assert svg_of(picture_of(backwards)) == svg_of(picture("large"))


def test_what_is_open_to_addresses_stands_out():
    graph = edited(variant("ha"), *DATABASE_RULE, cidrBlocks=["0.0.0.0/0"])
    root = ElementTree.fromstring(svg_of(picture_of(graph)))

    red = [text.text for text in root.iter(f"{SVG}text") if text.get("fill") == FRAMES["open"].colour]
    assert red == ["harbor-ha-database, open to TCP 5432 from 0.0.0.0/0"]


def test_a_long_name_is_cut_and_whole_in_its_tooltip():
    name = "registry." + "a-very-long-label." * 4 + "example.com"
    shown = picture("ha")
    (dns,) = (box for box in shown.outside if box.id == "dns")
    outside = tuple(replace(box, details=(name,)) if box is dns else box for box in shown.outside)
    root = ElementTree.fromstring(svg_of(replace(shown, outside=outside)))

    (cut,) = (text for text in root.iter(f"{SVG}text") if name in [title.text for title in text.iter(f"{SVG}title")])
    assert (cut.text or "").endswith("…")


def contrast(one: str, other: str) -> float:
    """Give the contrast ratio of two colours. Source: WCAG 2.2, relative luminance."""

    def luminance(colour: str) -> float:
        channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_every_text_stands_out_from_what_it_is_on():
    on_paper = [*(sign.colour for sign in SIGNS.values()), *FLOWS.values(), INK, MUTED]
    on_surfaces = [
        (ink, surface.fill) for surface in SURFACES.values() for ink in (INK, FRAMES["security-group"].colour)
    ]

    assert [pair for pair in [*((ink, PAPER) for ink in on_paper), *on_surfaces] if contrast(*pair) < 4.5] == []
