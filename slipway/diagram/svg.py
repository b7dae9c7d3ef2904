"""Draw a picture as SVG: zones are columns, tiers are rows, what spans zones is a bar over them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import drawsvg

from slipway.diagram.model import TIERS, Cell, Flow, Picture, Service

#: Pixels at the natural size; the picture scales by its view box.
MARGIN, GAP = 28, 14
LABEL, ZONE, SIDE = 118, 236, 232
HEAD, CLIENTS, BAR, CELL, LINE = 58, 66, 52, 58, 16
#: Arrows run beside the tiers, each in a lane of its own, so that none crosses a word.
FIRST_LANE, LANE, TAG = 62, 20, 34
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
INK, QUIET, PAPER, FRAME = "#1b2733", "#5b6b7b", "#ffffff", "#c3ccd6"
#: tier → (its ground, its colour); each colour has a contrast of 4.5 and more on white.
COLOURS = {
    "public": ("#eef6ee", "#2f6b34"),
    "nodes": ("#fff5e8", "#8a4b08"),
    "control plane": ("#f3effb", "#5b3aa0"),
    "data": ("#eaf2fb", "#1d5a96"),
    "": ("#f5f7f9", "#44525f"),
}


@dataclass(frozen=True, kw_only=True)
class Box:
    """A rectangle on the picture."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """Its horizontal middle."""
        return self.x + self.width / 2

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + self.width


def svg(picture: Picture) -> str:
    """Give the picture as an SVG document; the same bytes for the same picture."""
    return _Drawing(picture).document()


class _Drawing:
    """One picture being drawn, from the top down."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self._boxes: dict[str, Box] = {}
        self._left = MARGIN + LABEL
        self._right = self._left + len(picture.zones) * ZONE + (len(picture.zones) - 1) * GAP
        most = max(Counter(flow.source for flow in picture.flows).values(), default=1)
        self._lanes = FIRST_LANE + (most - 1) * LANE
        self._side_left = self._right + self._lanes + 2 * GAP
        self._width = self._side_left + SIDE + MARGIN
        self._shapes: list[drawsvg.DrawingElement] = []

    def document(self) -> str:
        top = self._clients(HEAD + MARGIN)
        bottom = self._tiers(top)
        bottom += GAP
        height = max(bottom, self._side(top)) + MARGIN
        frame = Box(x=self._left - GAP, y=top, width=self._right + self._lanes - self._left + GAP, height=bottom - top)
        drawing = drawsvg.Drawing(self._width, height, font_family=FONT, role="img")
        title = f"{self._picture.environment}: Harbor on AWS in {self._picture.region}"
        drawing.append_title(title)
        drawing.append(drawsvg.Raw(f"<desc>{_description(self._picture)}</desc>"))
        drawing.append(drawsvg.Rectangle(0, 0, self._width, height, fill=PAPER))
        drawing.append(_text(title, MARGIN, MARGIN + 14, size=20, weight=600))
        drawn_from = "drawn from what pulumi up registers"
        drawing.append(_text(drawn_from, MARGIN, MARGIN + 36, ink=QUIET))
        drawing.append(_arrowhead())
        drawing.extend(_panel(frame, PAPER, FRAME, dashes="5 4"))
        drawing.append(
            _text(self._picture.network, frame.right - 12, frame.y + frame.height - 10, anchor="end", ink=QUIET)
        )
        drawing.extend(self._shapes)
        drawing.extend(self._arrows())
        return drawing.as_svg()

    def _clients(self, top: float) -> float:
        """Draw those outside, and the name that they ask for."""
        box = Box(x=self._left, y=top, width=self._right - self._left, height=CLIENTS - 2 * GAP)
        self._boxes["clients"] = box
        self._shapes += _panel(box, *COLOURS[""])
        words = f"docker push, docker pull → https://{self._picture.domain} (Route53, ACM)"
        self._shapes.append(_text(words, box.middle, box.y + 24, anchor="middle", weight=600))
        return top + CLIENTS

    def _tiers(self, top: float) -> float:
        for number, zone in enumerate(self._picture.zones):
            x = self._left + number * (ZONE + GAP)
            self._shapes.append(_text(zone, x + ZONE / 2, top + 18, anchor="middle", weight=600, ink=QUIET))
        y = top + 28
        for tier in TIERS.values():
            cells = [cell for cell in self._picture.cells if cell.tier == tier]
            spanning = self._picture.of_tier(tier)
            if cells or spanning:
                y = self._tier(tier, cells, spanning, y) + GAP
        return y

    def _tier(self, tier: str, cells: Sequence[Cell], spanning: Sequence[Service], top: float) -> float:
        ground, colour = COLOURS[tier]
        height = CELL + LINE * max((len(cell.holds) for cell in cells), default=0) - LINE
        rows = len(spanning) * (BAR + GAP)
        bottom = top + height + rows
        self._shapes.append(_text(tier, MARGIN, top + 22, weight=600, ink=colour))
        for cell in cells:
            x = self._left + self._picture.zones.index(cell.zone) * (ZONE + GAP)
            box = Box(x=x, y=top, width=ZONE, height=bottom - top)
            self._shapes += _panel(box, ground, colour, stroke=FRAME)
            self._shapes.append(_text(cell.cidr, x + 12, top + 22, size=12, ink=QUIET))
            for line, words in enumerate(cell.holds):
                self._shapes.append(_text(words, x + 12, top + 42 + line * LINE, ink=colour))
        self._boxes[tier] = Box(x=self._left, y=top, width=self._right - self._left, height=bottom - top)
        y = top + height
        for service in spanning:
            box = Box(x=self._left + GAP, y=y, width=self._right - self._left - 2 * GAP, height=BAR)
            self._boxes[service.name] = box
            self._shapes += _panel(box, PAPER, colour, stroke=colour)
            self._shapes.append(_text(service.name, box.x + 14, box.y + 22, weight=600, ink=colour))
            self._shapes.append(_text(", ".join(service.detail), box.x + 14, box.y + 40, size=12, ink=QUIET))
            y += BAR + GAP
        return bottom

    def _side(self, top: float) -> float:
        """Draw what stands beside the VPC, one below the other."""
        x, y = self._side_left, top
        for service in self._picture.of_tier(""):
            height = 32 + LINE * len(service.detail)
            box = Box(x=x, y=y, width=SIDE, height=height)
            self._boxes[service.name] = box
            self._shapes += _panel(box, *COLOURS[""], stroke=FRAME)
            self._shapes.append(_text(service.name, x + 12, y + 22, weight=600))
            for line, words in enumerate(service.detail):
                self._shapes.append(_text(words, x + 12, y + 40 + line * LINE, size=12, ink=QUIET))
            y += height + GAP
        return y

    def _arrows(self) -> list[drawsvg.DrawingElement]:
        """Draw who talks to whom: out at the right, along a lane, and into the target from the right."""
        drawn: list[drawsvg.DrawingElement] = []
        sources: dict[str, list[Flow]] = {}
        for flow in filter(self._ends, self._picture.flows):
            sources.setdefault(flow.source, []).append(flow)
        for name, flows in sources.items():
            source = self._boxes[name]
            # The nearest target has the inner lane and leaves lowest: no lane crosses another.
            flows.sort(key=lambda flow: self._boxes[flow.target].y)
            for number, flow in enumerate(flows):
                target = self._boxes[flow.target]
                # What comes in arrives at the top of a box, what goes out leaves below it.
                start = source.y + source.height * (0.92 - 0.5 * number / max(len(flows) - 1, 1))
                end = target.y + min(target.height * 0.3, 14)
                lane = self._right + FIRST_LANE - 8 + number * LANE
                path = drawsvg.Path(stroke=INK, stroke_width=1.5, fill="none", marker_end="url(#arrow)")
                drawn.append(path.M(source.right, start).L(lane, start).L(lane, end).L(target.right, end))
                drawn += _tag(flow.port, self._right + TAG - 8, end)
        return drawn

    def _ends(self, flow: Flow) -> bool:
        return flow.source in self._boxes and flow.target in self._boxes


def _panel(box: Box, ground: str, colour: str, *, stroke: str = "", dashes: str = "") -> list[drawsvg.DrawingElement]:
    more = {"stroke_dasharray": dashes} if dashes else {}
    edge = stroke or colour
    size = (box.x, box.y, box.width, box.height)
    return [drawsvg.Rectangle(*size, rx=7, fill=ground, stroke=edge, stroke_width=1.2, **more)]


def _tag(words: str, x: float, y: float) -> list[drawsvg.DrawingElement]:
    """Write a port on its arrow, on a ground of its own."""
    width = 14 + 7 * len(words)
    ground = drawsvg.Rectangle(x - width / 2, y - 8.5, width, 17, rx=8, fill=INK)
    return [ground, _text(words, x, y + 4, size=11, anchor="middle", ink=PAPER, weight=600)]


def _text(  # what a text has
    words: str, x: float, y: float, *, size: float = 13, anchor: str = "start", weight: int = 400, ink: str = INK
) -> drawsvg.Text:
    return drawsvg.Text(words, size, x, y, fill=ink, text_anchor=anchor, font_weight=weight)


def _arrowhead() -> drawsvg.DrawingElement:
    path = '<path d="M0,0 L8,4 L0,8 z" fill="' + INK + '"/>'
    marker = f'<marker id="arrow" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">{path}</marker>'
    return drawsvg.Raw(f"<defs>{marker}</defs>")


def _description(picture: Picture) -> str:
    flows = "; ".join(f"{flow.source} to {flow.target} on {flow.port}" for flow in picture.flows)
    return f"Zones {', '.join(picture.zones)}. {flows}."
