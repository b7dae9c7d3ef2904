"""A forecast as text, Markdown and JSON; all three from the same object."""

from collections.abc import Iterator, Sequence
from typing import Any

from slipway.forecast.cost import Cost, Line
from slipway.forecast.forecast import Forecast, differences

#: What the tables are good for (facts of single samples, list prices).
ACCURACY = "within about 15 %"
NOT_COUNTED = "tax, support, savings plans, requests, Harbor's own replication, EFS reads of a backup"


def text(found: Forecast, other: Forecast | None = None) -> str:
    """Give a table for the terminal: one forecast, or what another has otherwise."""
    return "\n".join(_compared(found, other) if other else _alone(found))


def markdown(found: Forecast, other: Forecast | None = None) -> str:
    """Give the same for a pull request."""
    return "\n".join(_compared_markdown(found, other) if other else _alone_markdown(found))


def json_value(found: Forecast, other: Forecast | None = None) -> dict[str, Any]:
    """Give it as data; with another, that and the differences as well."""
    if other is None:
        return _json(found)
    changed = [
        {
            "service": one.service,
            "what": one.what,
            "before": _monthly(one.before),
            "after": _monthly(one.after),
            "monthly": round(one.monthly, 2),
        }
        for one in differences(found, other)
    ]
    return {"before": _json(found), "after": _json(other), "differences": changed}


def _json(found: Forecast) -> dict[str, Any]:
    return {
        "environment": found.name,
        "profile": found.profile,
        "region": found.prices.region,
        "regionFactor": found.prices.factor,
        "pricesOf": str(found.prices.table["date"]),
        "monthly": round(found.cost.monthly, 2),
        "lines": [
            {
                "service": line.service,
                "what": line.what,
                "size": line.size,
                "quantity": line.quantity,
                "unit": line.unit,
                "price": line.price,
                "hours": line.hours,
                "monthly": round(line.monthly, 2),
                "resources": list(line.resources),
            }
            for line in found.cost.lines
        ],
        "unpriced": list(found.cost.unpriced),
        "usage": found.usage.to_json_value(),
        "minutes": {
            "infrastructure": round(found.duration.infrastructure, 1),
            "serving": round(found.duration.serving, 1),
            "oneByOne": round(found.duration.one_by_one, 1),
            "criticalPath": [{"what": one.what, "minutes": round(one.minutes, 1)} for one in found.duration.path],
        },
        "violated": sorted({one.rule.id for one in found.violated}),
    }


def _alone(found: Forecast) -> Iterator[str]:
    serving = f"{found.duration.serving:.0f} minutes to a serving registry"
    yield f"{found.name}: {_dollars(found.cost.monthly)} a month, {serving}"
    yield ""
    for service, lines in by_service(found.cost):
        yield f"{service:50}{_dollars(sum(line.monthly for line in lines)):>12}"
        for line in lines:
            hours = f" × {line.hours} h" if line.hours > 1 else ""
            how = f"{quantity(line)} × {line.price:g}{hours}"
            yield f"  {line.what:44}{_dollars(line.monthly):>16}   {how}"
    yield from (f"not priced: {one}" for one in found.cost.unpriced)
    yield ""
    yield f"Minutes    {_minutes(found)};"
    yield f"           {found.duration.one_by_one:.0f} if everything waited for everything. Critical path:"
    yield from (f"  {one.minutes:7.1f}  {one.what}" for one in found.duration.path)
    yield ""
    yield from (f"{line}" for line in _assumptions(found))
    yield f"Rules      {_rules(found)}"


def _compared(found: Forecast, other: Forecast) -> Iterator[str]:
    yield f"{found.name} → {other.name}: {_change(found, other)}"
    yield ""
    for one in differences(found, other):
        yield f"{f'{one.service}: {one.what}':46}{_cell(one.before):>22}{_cell(one.after):>22}{one.monthly:>+12,.2f}"
    total = other.cost.monthly - found.cost.monthly
    yield f"{'a month':46}{_dollars(found.cost.monthly):>22}{_dollars(other.cost.monthly):>22}{total:>+12,.2f}"
    yield from (f"not priced: {one}" for one in dict.fromkeys([*found.cost.unpriced, *other.cost.unpriced]))
    yield ""
    yield f"Minutes    {found.duration.serving:.1f} → {other.duration.serving:.1f} to a serving registry"
    yield f"Rules      {_rules(found)} → {_rules(other)}"
    yield from _assumptions(other)


def _alone_markdown(found: Forecast) -> Iterator[str]:
    yield f"### `{found.name}`: {_dollars(found.cost.monthly)} a month"
    yield ""
    yield "| service | | a month |"
    yield "|---|---|---:|"
    for service, lines in by_service(found.cost):
        parts = ", ".join(f"{line.what} ({quantity(line)})" for line in lines)
        yield f"| {service} | {parts} | {_dollars(sum(line.monthly for line in lines))} |"
    yield f"| **all** | | **{_dollars(found.cost.monthly)}** |"
    yield ""
    yield from _closing_markdown(found)


def _compared_markdown(found: Forecast, other: Forecast) -> Iterator[str]:
    yield f"### `{found.name}` → `{other.name}`: {_change(found, other)}"
    yield ""
    yield "| | before | after | change |"
    yield "|---|---:|---:|---:|"
    for one in differences(found, other):
        yield f"| {one.service}: {one.what} | {_cell(one.before)} | {_cell(one.after)} | {one.monthly:+,.2f} |"
    total = other.cost.monthly - found.cost.monthly
    yield (
        f"| **a month** | **{_dollars(found.cost.monthly)}** | **{_dollars(other.cost.monthly)}** | **{total:+,.2f}** |"
    )
    yield ""
    yield from _closing_markdown(other)


def _closing_markdown(found: Forecast) -> Iterator[str]:
    yield f"{_minutes(found)}. "
    yield f"Rules: {_rules(found)}."
    yield ""
    yield from (f"> {line.strip()}" for line in _assumptions(found))


def _assumptions(found: Forecast) -> Iterator[str]:
    usage, prices = found.usage, found.prices
    amounts = f"{usage.stored_gb:,.0f} GB stored, {usage.pushed_gb:,.0f} GB pushed, {usage.pulled_gb:,.0f} GB pulled"
    yield f"Assumed    {amounts} a month, {usage.egress_share:.0%} of it out of AWS;"
    yield f"           {usage.standard_share:.0%} of EFS in Standard; tables/usage.yaml has the rest"
    region = f"us-east-1 × {prices.factor:g} for {prices.region}"
    yield f"Prices     of {prices.table['date']}, {region}; {ACCURACY}; one load balancer;"
    yield f"           without {NOT_COUNTED}"


def by_service(cost: Cost) -> Iterator[tuple[str, list[Line]]]:
    """Give the services with their lines, the dearest first."""
    services: dict[str, list[Line]] = {}
    for line in cost.lines:
        services.setdefault(line.service, []).append(line)
    yield from sorted(services.items(), key=lambda item: -sum(line.monthly for line in item[1]))


def _change(found: Forecast, other: Forecast) -> str:
    return f"{_dollars(found.cost.monthly)} → {_dollars(other.cost.monthly)} a month"


def _rules(found: Forecast) -> str:
    ids = sorted({one.rule.id for one in found.violated})
    return f"violates {', '.join(ids)}" if ids else "none is violated"


def _minutes(found: Forecast) -> str:
    lasts = found.duration
    return f"{lasts.infrastructure:.1f} to the end of `pulumi up`, {lasts.serving:.1f} to a serving registry"


def quantity(line: Line) -> str:
    """Give how much of it, with its size or unit."""
    return f"{line.quantity:,.7g} {line.size or line.unit}"


def _cell(lines: Sequence[Line]) -> str:
    sizes = " ".join(line.size for line in lines if line.size)
    return " ".join(filter(None, (sizes, _dollars(_monthly(lines) or 0)))) if lines else "–"


def _monthly(lines: Sequence[Line]) -> float | None:
    return round(sum(line.monthly for line in lines), 2) if lines else None


def _dollars(amount: float) -> str:
    return f"${amount:,.2f}" if amount < 100 else f"${amount:,.0f}"  # cents are noise from there on
