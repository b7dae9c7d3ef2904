"""The report of a rehearsal as one HTML file: no script, nothing to load, for a screen, a phone and paper.

page.html(Page(environment="dev", verdict="Delivered 3f2a91c", …))
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined

#: From the top of the chart to its bottom.
HALVES = {
    "engine": ("Pulumi engine", "with simulated AWS"),
    "Flux": ("Flux", "real controllers"),
}
#: So many of the longest carry their name in the chart, and so many of those that failed.
_NAMED = 10
_MOST_TICKS = 8
_TICK_SECONDS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600)
#: Pixels: a bar with its name over it, and what the small bars of a lane share, within limits.
_NAMED_PITCH = 23
_NAMED_BAR = 5
_LANE_HEIGHT, _LEAST_PITCH, _MOST_PITCH = 200, 3, 8
#: Bars are at least two pixels wide; on a phone that is this share of the axis.
_LEAST_WIDTH = 0.007


@dataclass(frozen=True, kw_only=True)
class Span:
    """Something that took time.

    Attributes:
        half: who did it.
        group: its lane in the chart: "up", "source-controller", "HelmRelease".
        name: what it was.
        started, ended: seconds since the rehearsal began.
        outcome: "moving" for what was still under way.
        detail: the reason, where there is one.
    """

    half: Literal["engine", "Flux"]
    group: str
    name: str
    started: float
    ended: float
    outcome: Literal["done", "failed", "moving"]
    detail: str = ""

    @property
    def seconds(self) -> float:
        """How long it took, in seconds."""
        return self.ended - self.started


@dataclass(frozen=True, kw_only=True)
class Check:
    """Something that must hold after a delivery; `detail` is what was seen."""

    name: str
    passed: bool
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Played:
    """Something that was not real; `limits` is how far it goes, and what that leaves unproven."""

    name: str
    limits: str


@dataclass(frozen=True, kw_only=True)
class Priced:
    """One service of AWS: US dollars a month, and what for."""

    service: str
    monthly: float
    what: str


@dataclass(frozen=True, kw_only=True)
class Page:
    """All that the report says.

    Attributes:
        environment: the rehearsed environment's name.
        verdict: the headline in its first line, explanation in any more.
        delivered: whether it all went well.
        seconds: wall clock of the whole rehearsal.
        url: where the registry would answer.
        commit: id of the delivered commit; empty where it never came to one.
        commits: how many this rehearsal made.
        spans: in any order.
        checks: in the order in which to show them.
        files: path → text as committed.
        played: what was not real.
        costs: what it would cost a month, the dearest first; empty where it never came to it.
        facts: label → value, for a reader, both with their units.
    """

    environment: str
    verdict: str
    delivered: bool
    seconds: float
    url: str
    commit: str
    commits: int
    spans: Sequence[Span]
    checks: Sequence[Check]
    files: Mapping[str, str]
    played: Sequence[Played]
    costs: Sequence[Priced]
    facts: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class _Bar:
    """A span in its lane: `left` and `width` in percent of the axis, `top` and `height` in pixels."""

    span: Span
    left: float
    width: float
    top: int
    height: int
    named: bool


@dataclass(frozen=True, kw_only=True)
class _Lane:
    """The spans of one group; `height` in pixels."""

    group: str
    height: int
    bars: Sequence[_Bar]


@dataclass(frozen=True, kw_only=True)
class _Half:
    """One half of the chart; `left` and `width` in percent of the axis, from its first start to its last end."""

    half: str
    title: str
    subtitle: str
    seconds: float
    left: float
    width: float
    lanes: Sequence[_Lane]


def html(page: Page) -> str:
    """Write the report; the same page gives the same bytes."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["duration"] = _duration
    spans = sorted(page.spans, key=lambda span: (span.started, span.ended, span.group, span.name))
    axis = max([page.seconds, *(span.ended for span in spans)]) or 1.0
    headline, _, explanation = page.verdict.strip().partition("\n")
    return environment.get_template("page.html.j2").render(
        page=page,
        headline=headline,
        explanation=explanation.strip(),
        spans=spans,
        halves=_halves(spans, axis),
        ticks=_ticks(axis),
        failed=[span for span in spans if span.outcome == "failed"],
        passed=sum(check.passed for check in page.checks),
        lines={path: len(text.splitlines()) for path, text in page.files.items()},
    )


def _halves(spans: Sequence[Span], axis: float) -> list[_Half]:
    longest = sorted(spans, key=lambda span: -span.seconds)[:_NAMED]
    failed = [span for span in spans if span.outcome == "failed"][:_NAMED]
    named = {id(span) for span in (*longest, *failed)}
    halves = []
    for half, (title, subtitle) in HALVES.items():
        mine = [span for span in spans if span.half == half]
        if not mine:
            continue
        started, ended = min(span.started for span in mine), max(span.ended for span in mine)
        groups: dict[str, list[Span]] = {}  # in order of their first start
        for span in mine:
            groups.setdefault(span.group, []).append(span)
        halves.append(
            _Half(
                half=half,
                title=title,
                subtitle=subtitle,
                seconds=ended - started,
                left=100 * started / axis,
                width=100 * (ended - started) / axis,
                lanes=[_lane(group, members, axis, named) for group, members in groups.items()],
            )
        )
    return halves


def _lane(group: str, spans: Sequence[Span], axis: float, named: set[int]) -> _Lane:
    """Lay out one group: spans with a name have a row each, on top; the others share as few rows as they can."""
    large = [span for span in spans if id(span) in named]
    small = [span for span in spans if id(span) not in named]
    rows = list(_rows(small, axis))
    pitch = max(_LEAST_PITCH, min(_MOST_PITCH, _LANE_HEIGHT // (max(rows, default=0) + 1)))
    top = len(large) * _NAMED_PITCH
    places = [
        *((span, row * _NAMED_PITCH + _NAMED_PITCH - _NAMED_BAR - 1, _NAMED_BAR) for row, span in enumerate(large)),
        *((span, top + 2 + row * pitch, pitch - 1) for row, span in zip(rows, small, strict=True)),
    ]
    bars = [
        _Bar(
            span=span,
            left=100 * span.started / axis,
            width=100 * span.seconds / axis,
            top=y,
            height=height,
            named=id(span) in named,
        )
        for span, y, height in places
    ]
    return _Lane(group=group, height=max(y + height for _, y, height in places) + 2, bars=bars)


def _rows(spans: Iterable[Span], axis: float) -> Iterable[int]:
    """Give each span, in order of start, the first row that is free by then."""
    free: list[float] = []
    for span in spans:
        row = next((row for row, since in enumerate(free) if since <= span.started), len(free))
        free[row : row + 1] = [max(span.ended, span.started + _LEAST_WIDTH * axis)]
        yield row


def _ticks(axis: float) -> list[tuple[float, str]]:
    """Give the marks of the axis: percent, and what stands there; none where its text would leave the chart."""
    step = next((step for step in _TICK_SECONDS if axis / step <= _MOST_TICKS), axis / _MOST_TICKS)
    times = [number * step for number in range(_MOST_TICKS + 1) if number * step <= 0.95 * axis]
    return [(100 * time / axis, f"{time / 60:g} min" if step >= 60 else f"{time:.3g} s") for time in times]


def _duration(seconds: float) -> str:
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"
