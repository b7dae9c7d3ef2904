"""The picture as SVG: one file with its own background, text that stays text, nothing loaded from elsewhere."""

from typing import Any

import drawsvg as svg

from slipway.diagram import style
from slipway.diagram.layout import ZONE_WIDTH, Layout, Rect, lay_out
from slipway.diagram.paths import LANE, Path, paths_of
from slipway.diagram.picture import Box, Picture, Row
from slipway.diagram.style import CAPTION_SIZE, DETAIL_SIZE, HEADING_SIZE, TITLE_SIZE, fitted

_TILE, _PAD, _LINE = 34, 7, 18


class _Description(svg.Title):
    """SVG's longer text for readers who do not see the picture."""

    TAG_NAME = "desc"


def svg_of(picture: Picture) -> str:
    """Give the SVG's text; the same picture always gives the same bytes."""
    layout = lay_out(picture)
    drawing = svg.Drawing(
        layout.width,
        layout.height,
        id_prefix="slipway-",
        role="img",
        aria_labelledby="title desc",
        font_family=style.FONT,
    )
    drawing.append(svg.Title(_heading(picture), id="title"))
    drawing.append(_Description(_description(picture), id="desc"))
    drawing.append(_rectangle(Rect(0, 0, layout.width, layout.height), fill=style.PAPER, rx=10))
    _draw_heading(drawing, picture, layout)
    _draw_frames(drawing, picture, layout)
    for row in picture.rows:
        _draw_band(drawing, row, layout.bands[row.id])
    arrows = {kind: _arrow(colour) for kind, colour in style.FLOWS.items()}
    paths = paths_of(picture, layout)
    for path in paths:
        _draw_path(drawing, path, arrows[path.flow.kind])
    if picture.gateway:
        _draw_gateway(drawing, layout)
    for box in picture.boxes:
        _draw_box(drawing, box, layout.boxes[box.id])
    for path in paths:
        _draw_label(drawing, path)
    _draw_legend(drawing, picture, layout.legend, arrows)
    return drawing.as_svg() + "\n"


def _heading(picture: Picture) -> str:
    return f"Harbor on AWS: {picture.environment}"


def _description(picture: Picture) -> str:
    """Say in words what the picture shows: the services of each tier, and every flow that has a label."""
    tiers = (
        f"{tier.title}: {', '.join(box.title for row in tier.rows for box in row.boxes)}." for tier in picture.tiers
    )
    flows = (f"{flow.source} to {flow.target}: {flow.label}." for flow in picture.flows if flow.label)
    return " ".join([f"{picture.vpc} over {', '.join(picture.zones)}.", *tiers, *flows])


def _draw_heading(drawing: svg.Drawing, picture: Picture, layout: Layout) -> None:
    x, right = layout.region.x, layout.region.right
    words = f"profile {picture.profile}  ·  {picture.host}"
    drawing.append(_text(_heading(picture), x, 38, HEADING_SIZE, right - x - 400, bold=True))
    drawing.append(_text(words, right, 38, TITLE_SIZE, 380, fill=style.MUTED, text_anchor="end"))


def _draw_frames(drawing: svg.Drawing, picture: Picture, layout: Layout) -> None:
    """Draw what encloses: region, VPC, the zones' strips and the subnets."""
    region, vpc = layout.region, layout.vpc
    drawing.append(_surface(region, "region", stroke_dasharray="6 4", rx=8))
    drawing.append(_text(f"Region {picture.region}", region.x + 14, region.y + 21, TITLE_SIZE, 300, bold=True))
    drawing.append(_surface(vpc, "vpc", stroke_width=1.5, rx=8))
    colour = style.SURFACES["vpc"].border
    drawing.append(_text(picture.vpc, vpc.x + 14, vpc.y + 28, TITLE_SIZE, vpc.width - 28, bold=True, fill=colour))
    for zone, strip in layout.zones.items():
        drawing.append(_surface(strip, "zone", rx=6))
        drawing.append(_text(zone, strip.x + 12, strip.y + 18, TITLE_SIZE, strip.width - LANE - 20, bold=True))
    for tier in picture.tiers:
        for zone, network in tier.subnets.items():
            subnet = layout.subnets[tier.id, zone]
            drawing.append(_surface(subnet, tier.id, rx=5))
            words = f"{tier.title} {network}".rstrip()
            drawing.append(_text(words, subnet.x + 8, subnet.y + 16, DETAIL_SIZE, subnet.width - LANE - 12))


def _draw_band(drawing: svg.Drawing, row: Row, band: Rect) -> None:
    """Draw the security group around a row; what it admits by address stands out."""
    if not row.security_group:
        return
    colour, dashes = style.FRAMES["open" if row.open_to else "security-group"]
    drawing.append(_rectangle(band, fill="none", stroke=colour, stroke_dasharray=dashes, rx=5))
    words, width = row.security_group, ZONE_WIDTH - LANE - 30
    if row.open_to:
        words, width = f"{words}, open to {', '.join(row.open_to)}", band.width - 20
    drawing.append(_text(words, band.x + 10, band.y + 16, CAPTION_SIZE, width, fill=colour))


def _draw_gateway(drawing: svg.Drawing, layout: Layout) -> None:
    """Draw the internet gateway on the VPC's border, where traffic passes it both ways."""
    x = min(strip.x for strip in layout.zones.values())
    gateway = Rect(x, layout.vpc.y - 11, layout.vpc.right - x - 6, 22)
    drawing.append(_surface(gateway, "gateway", rx=11))
    middle = gateway.x + gateway.width / 2
    drawing.append(_text("Internet gateway", middle, gateway.y + 15, DETAIL_SIZE, 200, bold=True, text_anchor="middle"))


def _draw_path(drawing: svg.Drawing, path: Path, arrow: svg.Marker) -> None:
    corners = [number for point in path.points for number in point]
    colour = style.FLOWS[path.flow.kind]
    drawing.append(svg.Lines(*corners, fill="none", stroke=colour, stroke_width=1.6, marker_end=arrow))


def _draw_label(drawing: svg.Drawing, path: Path) -> None:
    """Write a flow's label with a rim of paper, so that it is readable over any border."""
    if path.flow.label:
        x, y = path.label_at
        look = {"fill": style.FLOWS[path.flow.kind], "stroke": style.PAPER, "stroke_width": 3, "paint_order": "stroke"}
        anchor = "end" if path.label_ends else "start"
        label = _text(path.flow.label, x, y, DETAIL_SIZE, path.label_width, bold=True, text_anchor=anchor, **look)
        drawing.append(label)


def _draw_box(drawing: svg.Drawing, box: Box, rect: Rect) -> None:
    sign = style.SIGNS[box.service]
    dashes = {"stroke_dasharray": style.FRAMES["controller"].dashes} if box.by_controller else {}
    drawing.append(_rectangle(rect, fill=style.PAPER, stroke=sign.colour, stroke_width=1.2, rx=4, **dashes))
    drawing.append(_rectangle(Rect(rect.x, rect.y, _TILE, rect.height), fill=sign.colour, rx=4))
    letters = {"bold": True, "fill": style.PAPER, "text_anchor": "middle"}
    drawing.append(_text(sign.letters, rect.x + _TILE / 2, rect.middle + 4, DETAIL_SIZE, _TILE, **letters))
    x, width = rect.x + _TILE + _PAD, rect.width - _TILE - 2 * _PAD
    drawing.append(_text(box.title, x, rect.y + 19, TITLE_SIZE, width, bold=True))
    for number, line in enumerate(box.details):
        drawing.append(_text(line, x, rect.y + 35 + 14 * number, DETAIL_SIZE, width, fill=style.MUTED))


def _draw_legend(drawing: svg.Drawing, picture: Picture, legend: Rect, arrows: dict[str, svg.Marker]) -> None:
    """Explain the lines in as many lines as they need, and say what a reader has to know."""
    kinds = {flow.kind for flow in picture.flows}
    entries = [(words, kind) for kind, words in style.FLOW_WORDS.items() if kind in kinds]
    x, y = legend.x, legend.y + 12
    for words, look in [*entries, *((words, look) for look, words in style.FRAME_WORDS.items())]:
        width = 64 + style.text_width(words, DETAIL_SIZE)
        if x + width > legend.right:
            x, y = legend.x, y + _LINE
        if look in arrows:
            line = {"stroke": style.FLOWS[look], "stroke_width": 1.6, "marker_end": arrows[look]}
            drawing.append(svg.Line(x, y, x + 30, y, **line))
        else:
            colour, dashes = style.FRAMES[look]
            frame = Rect(x, y - 7, 30, 14)
            drawing.append(_rectangle(frame, fill="none", stroke=colour, stroke_dasharray=dashes, rx=3))
        drawing.append(_text(words, x + 38, y + 4, DETAIL_SIZE, width, fill=style.MUTED))
        x += width
    for number, note in enumerate(picture.notes, 1):
        drawing.append(_text(note, legend.x, y + 4 + _LINE * number, DETAIL_SIZE, legend.width, fill=style.MUTED))


def _arrow(colour: str) -> svg.Marker:
    marker = svg.Marker(-6, -4, 1, 4, orient="auto", markerUnits="userSpaceOnUse", markerWidth=9, markerHeight=9)
    marker.append(svg.Lines(-6, -3.5, 0.5, 0, -6, 3.5, close=True, fill=colour))
    return marker


def _surface(rect: Rect, name: str, **look: Any) -> svg.Rectangle:  # noqa: ANN401  # SVG attributes
    fill, border = style.SURFACES[name]
    return _rectangle(rect, fill=fill, stroke=border, **look)


def _rectangle(rect: Rect, **look: Any) -> svg.Rectangle:  # noqa: ANN401  # SVG attributes
    return svg.Rectangle(rect.x, rect.y, rect.width, rect.height, **look)


def _text(
    words: str,
    x: float,
    y: float,
    size: float,
    width: float,
    *,
    bold: bool = False,
    **look: Any,  # noqa: ANN401  # SVG attributes
) -> svg.Text:
    """Give one line of text with its baseline at `y`, cut to `width`; what is cut is in its tooltip."""
    shown = fitted(words, width, size, bold=bold)
    line = svg.Text(shown, size, x, y, **{"fill": style.INK, **({"font_weight": 600} if bold else {}), **look})
    if shown != words:
        line.append_title(words)
    return line
