"""The way of each flow across the page, at right angles, beside the boxes and never through one."""

from dataclasses import dataclass
from itertools import pairwise

from slipway.diagram.layout import BAND_PADDING, RIGHT_GUTTER, SIDE_LANE, TIER_GAP, Layout, Rect
from slipway.diagram.picture import Flow, Picture

Point = tuple[float, float]

#: How far a zone's vertical lines are from its right side: beside every text there.
LANE = 38
_SPINE = 20


@dataclass(frozen=True, kw_only=True)
class Path:
    """One flow drawn: its corners; where its label begins, or ends if `label_ends`; and how wide that may be."""

    flow: Flow
    points: tuple[Point, ...]
    label_at: Point
    label_width: float
    label_ends: bool = False


def paths_of(picture: Picture, layout: Layout) -> tuple[Path, ...]:
    """Give the path of every flow."""
    ends = {**layout.bands, **layout.boxes}
    outside = {box.id for box in picture.outside}
    services = {box.id for box in picture.services}
    paths = []
    for flow in picture.flows:
        source, target = ends[flow.source], ends[flow.target]
        if flow.kind == "egress":
            points = _out(target, layout, source) if flow.target in outside else _up(source, target, layout)
        elif flow.source in outside:
            points = _around(source, target) if flow.target in services else _down(source, target, layout)
        elif flow.target in services:
            points = _across(source, target)
        else:
            points = _spine(source, target, layout)
        paths.append(_labelled(flow, points))
    return tuple(paths)


def _labelled(flow: Flow, points: tuple[Point, ...]) -> Path:
    """Put the label above the last level stretch that holds it, or right of the first stretch if all go down."""
    level = [(start, end) for start, end in pairwise(points) if start[1] == end[1] and abs(start[0] - end[0]) > LANE]
    if not level:
        x, y = points[0]
        left = len(points) > 2  # it goes on at the page's right border
        return Path(
            flow=flow, points=points, label_at=(x + (-6 if left else 6), y + 17), label_width=120, label_ends=left
        )
    start, end = level[-1]
    return Path(
        flow=flow,
        points=points,
        label_at=(min(start[0], end[0]) + 6, start[1] - 5),
        label_width=abs(start[0] - end[0]) - 14,
    )


def _lane(rect: Rect, layout: Layout) -> float:
    """Give the x of the vertical lane of the last zone that `rect` reaches into."""
    return max(zone.right for zone in layout.zones.values() if zone.x < rect.right) - LANE


def _down(source: Rect, target: Rect, layout: Layout) -> tuple[Point, ...]:
    """From outside straight down, in the first zone's lane."""
    x = min(zone.right for zone in layout.zones.values()) - LANE
    return (x, source.bottom), (x, target.y)


def _around(source: Rect, target: Rect) -> tuple[Point, ...]:
    """From outside down the right side of the services."""
    x = target.right + SIDE_LANE / 2
    return (x, source.bottom), (x, target.middle), (target.right, target.middle)


def _across(source: Rect, target: Rect) -> tuple[Point, ...]:
    """From a row to what is beside it."""
    if source.middle == target.middle:
        return (source.right, source.middle), (target.x, target.middle)
    x = target.x - RIGHT_GUTTER
    return (source.right, source.middle), (x, source.middle), (x, target.middle), (target.x, target.middle)


def _spine(source: Rect, target: Rect, layout: Layout) -> tuple[Point, ...]:
    """Down the gutter at the left."""
    x = layout.vpc.x + _SPINE
    start = source.middle + BAND_PADDING
    return (source.x, start), (x, start), (x, target.middle), (target.x, target.middle)


def _up(source: Rect, target: Rect, layout: Layout) -> tuple[Point, ...]:
    """From the nodes of a zone to its gateway, by the gap between the tiers where that is in another zone."""
    x = _lane(source, layout)
    if target.x < x < target.right:
        return (x, source.y), (x, target.bottom)
    tier = max(rect.y for rect in layout.subnets.values() if rect.y < source.y)
    gap, to = tier - TIER_GAP / 2, _lane(target, layout)
    return (x, source.y), (x, gap), (to, gap), (to, target.bottom)


def _out(target: Rect, layout: Layout, source: Rect) -> tuple[Point, ...]:
    """From a gateway above its row to the right, and out of the VPC."""
    x, right = _lane(source, layout), layout.vpc.right - RIGHT_GUTTER / 2
    gap = source.y - BAND_PADDING - 3
    return (x, source.y), (x, gap), (right, gap), (right, target.bottom)
