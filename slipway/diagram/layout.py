"""Where everything of a picture stands on the page: rectangles for things, polylines for flows.

Inbound calls run down a gutter at the left, the way out runs up one at the right, and what stands behind an interface
is beside it, so no line crosses a box.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from slipway.diagram.picture import Box, Picture, Row, Tier

MARGIN, GAP = 24, 14
HEADER, REGION_HEADER, VPC_HEADER = 62, 42, 40
OUTSIDE_WIDTH, OUTSIDE_HEIGHT, OUTSIDE_GAP, BELOW_OUTSIDE = 212, 62, 14, 44
ZONE_WIDTH, ZONE_HEADER = 250, 26
#: How far subnets, bands and boxes are from the sides of their zone.
SUBNET_INSET, BAND_INSET, BOX_INSET = 6, 10, 16
LEFT_GUTTER, RIGHT_GUTTER = 104, 34
SUBNET_HEADER, TIER_GAP, ROW_GAP = 24, 22, 6
BAND_CAPTION, BAND_PADDING = 18, 8
SERVICES_GAP, SERVICE_WIDTH, SERVICE_GAP = 84, 264, 12
#: Room at the right of the services for the line that comes from outside.
SIDE_LANE = 28
LEGEND_HEIGHT = 76


@dataclass(frozen=True)
class Rect:
    """A rectangle; x and y are its upper left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The x of its right side."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """The y of its lower side."""
        return self.y + self.height

    @property
    def middle(self) -> float:
        """The y of its middle."""
        return self.y + self.height / 2


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The page.

    Attributes:
        width, height: of the page.
        region, vpc: the two frames.
        zones: zone → its strip through the VPC.
        subnets: (tier, zone) → rectangle.
        bands: id of a row → what encloses its boxes.
        boxes: id of a box → rectangle.
        legend: below everything.
    """

    width: float
    height: float
    region: Rect
    vpc: Rect
    zones: Mapping[str, Rect]
    subnets: Mapping[tuple[str, str], Rect]
    bands: Mapping[str, Rect]
    boxes: Mapping[str, Rect]
    legend: Rect


def box_height(box: Box) -> float:
    """Give the height that a box's lines need."""
    return 28 + 14 * len(box.details) + (4 if box.details else 0)


def lay_out(picture: Picture) -> Layout:
    """Give every place of a picture."""
    zones = len(picture.zones)
    vpc_x = MARGIN + GAP
    zones_width = zones * ZONE_WIDTH + (zones - 1) * GAP
    vpc_width = LEFT_GUTTER + zones_width + RIGHT_GUTTER
    services_x = vpc_x + vpc_width + SERVICES_GAP
    region_y = HEADER + OUTSIDE_HEIGHT + BELOW_OUTSIDE
    vpc_y = region_y + REGION_HEADER
    zone_x = {zone: vpc_x + LEFT_GUTTER + n * (ZONE_WIDTH + GAP) for n, zone in enumerate(picture.zones)}

    subnets, bands, boxes = {}, {}, {}
    strip_y = vpc_y + VPC_HEADER
    y: float = strip_y + ZONE_HEADER
    for tier in picture.tiers:
        height = SUBNET_HEADER + sum(_row_height(row) + ROW_GAP for row in tier.rows)
        for zone, x in zone_x.items():
            subnets[tier.id, zone] = Rect(x + SUBNET_INSET, y, ZONE_WIDTH - 2 * SUBNET_INSET, height)
        _place_rows(tier, y + SUBNET_HEADER, zone_x, bands, boxes)
        y += height + TIER_GAP
    vpc = Rect(vpc_x, vpc_y, vpc_width, y - vpc_y)
    strips = {zone: Rect(x, strip_y, ZONE_WIDTH, vpc.bottom - GAP - strip_y) for zone, x in zone_x.items()}
    boxes |= _services(picture, bands, Rect(services_x, vpc_y, SERVICE_WIDTH, vpc.height))
    boxes |= _outside(picture, services_x, vpc)
    lowest = max([vpc.bottom, *(rect.bottom for rect in boxes.values())])
    region = Rect(MARGIN, region_y, services_x + SERVICE_WIDTH + SIDE_LANE - MARGIN, lowest + GAP - region_y)
    legend = Rect(MARGIN, region.bottom + 14, region.width, LEGEND_HEIGHT)
    return Layout(
        width=region.right + MARGIN,
        height=legend.bottom + 8,
        region=region,
        vpc=vpc,
        zones=strips,
        subnets=subnets,
        bands=bands,
        boxes=boxes,
        legend=legend,
    )


def _row_height(row: Row) -> float:
    return _caption(row) + max(map(box_height, row.boxes)) + 2 * BAND_PADDING


def _caption(row: Row) -> float:
    return BAND_CAPTION if row.security_group else 0


def _place_rows(
    tier: Tier,
    y: float,
    zone_x: Mapping[str, float],
    bands: dict[str, Rect],
    boxes: dict[str, Rect],
) -> None:
    """Place a tier's rows below `y`; a box stands in its zone, or from the first to the last of its zones."""
    first, last = min(zone_x.values()), max(zone_x.values())
    for row in tier.rows:
        height = _row_height(row)
        bands[row.id] = Rect(first + BAND_INSET, y, last + ZONE_WIDTH - first - 2 * BAND_INSET, height)
        for box in row.boxes:
            left, right = zone_x[box.zones[0]] + BOX_INSET, zone_x[box.zones[-1]] + ZONE_WIDTH - BOX_INSET
            top = y + BAND_PADDING + _caption(row)
            boxes[box.id] = Rect(left, top, right - left, y + height - BAND_PADDING - top)
        y += height + ROW_GAP


def _services(picture: Picture, bands: Mapping[str, Rect], column: Rect) -> dict[str, Rect]:
    """Stack the services: each beside the row that it stands behind, the others where there is room."""
    beside = {flow.target: bands[flow.source].middle for flow in picture.flows if flow.source in bands}
    placed: dict[str, Rect] = {}
    # Those that have a place of their own come first; two that want the same one give way.
    for box in sorted(picture.services, key=lambda box: box.id not in beside):
        height, taken = box_height(box), list(placed.values())
        wanted = [beside[box.id] - height / 2] if box.id in beside else []
        free = [top for top in (*wanted, *_tops(column, taken)) if _is_free(top, height, taken)]
        placed[box.id] = Rect(column.x, free[0], column.width, height)
    return placed


def _tops(column: Rect, taken: list[Rect]) -> list[float]:
    """Give where a box may begin, from above; below the lowest there is always room."""
    return sorted([column.y, *(rect.bottom + SERVICE_GAP for rect in taken)])


def _is_free(top: float, height: float, taken: list[Rect]) -> bool:
    return all(top + height + SERVICE_GAP <= rect.y or top >= rect.bottom + SERVICE_GAP for rect in taken)


def _outside(picture: Picture, services_x: float, vpc: Rect) -> dict[str, Rect]:
    """Place who is outside: clients above the first zone, the internet above the way out, operators above EKS."""
    at = {
        "dns": MARGIN,
        "clients": MARGIN + OUTSIDE_WIDTH + OUTSIDE_GAP,
        "internet": vpc.right - OUTSIDE_WIDTH,
        "operators": services_x + SERVICE_WIDTH + SIDE_LANE - OUTSIDE_WIDTH,
    }
    return {box.id: Rect(at[box.id], HEADER, OUTSIDE_WIDTH, OUTSIDE_HEIGHT) for box in picture.outside}
