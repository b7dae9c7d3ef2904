"""`slipway explain`: which layer set a value, and why."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from slipway.cli import console
from slipway.cli.console import Output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slipway.explain.answer import Answer, Setting

#: So much of a value stands in a table; the first line has it whole.
_WIDE = 48


def explain(
    environment: Annotated[str, typer.Argument(metavar="ENV", help="Name of the environment: stacks/Pulumi.ENV.yaml.")],
    key: Annotated[
        str, typer.Argument(metavar="[KEY]", help="A setting, a value of Harbor's chart, or a section.")
    ] = "",
    facts: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Facts of the real environment; - for stdin. Default: example facts."),
    ] = None,
    output: Annotated[
        Output, typer.Option(help="json: a list of keys with layers, places and what they follow.")
    ] = Output.text,
) -> None:
    """Tell where a setting or a value comes from: every layer that says something, and the one that counts.

    Settings: the model's default, the profile, stacks/defaults.yaml, stacks/groups/GROUP.yaml, the stack file.
    Values of the chart: the generated documents, Secrets, and the team's own in stacks/ENV/values/; and which settings
    and facts a generated value follows. Without KEY: every setting that stands in a file.

    \b
    Examples:
      slipway explain prod
      slipway explain prod network.nat
      slipway explain prod core.replicas
      slipway explain prod harbor.expose --output json

    Exit codes: 0 explained, 1 values, 2 settings or no such key.
    """
    from slipway.explain.explain import explain as explained
    from slipway.project import find_root

    answers = explained(find_root(Path.cwd()), environment, key, facts_source=facts)
    if output is Output.json:
        console.result_json([_json(answer) for answer in answers])
    elif not answers:
        console.result(f"nothing is set: every {'value has the chart' if key else 'setting has the profile'}'s default")
    elif len(answers) == 1 and key:
        console.result(_whole(answers[0]))
    else:
        console.result(_table(answers))


def _json(answer: "Answer") -> dict[str, Any]:
    return {
        "key": answer.key,
        "kind": answer.kind,
        "value": answer.value,
        "why": answer.why,
        "layers": [
            {"layer": one.name, "value": one.value, "place": one.place, "effective": one in answer.effective}
            for one in answer.layers
        ],
        "follows": [{"key": one.name, "value": one.value, "from": one.place} for one in answer.follows],
    }


def _whole(answer: "Answer") -> str:
    lines = [f"{typer.style(answer.key, bold=True)} = {_shown(answer.value)}"]
    if answer.why:
        lines.append(f"  {answer.why}")
    if not answer.layers:
        lines.append("  nobody sets it: it has the chart's default, if any")
    names = max((len(one.name) for one in answer.layers), default=0)
    values = min(_WIDE, max((len(_shown(one.value)) for one in answer.layers), default=0))
    for one in answer.layers:
        counts = one in answer.effective
        mark, value = "→" if counts else " ", _cut(_shown(one.value), values)
        text = f"{mark} {one.name:{names}}  {value}  {one.place}".rstrip()
        lines.append(typer.style(text, fg="green") if counts else text)
    names = max((len(one.name) for one in answer.follows), default=0)
    for number, one in enumerate(answer.follows):
        value = "" if one.value is None else _cut(_shown(one.value), 24)
        lines.append(f"  {'        ' if number else 'follows '}{one.name:{names}}  {value:24}  {one.place}")
    return "\n".join(lines)


def _table(answers: "Sequence[Answer]") -> str:
    keys = max(len(answer.key) for answer in answers)
    values = min(_WIDE, max(len(_shown(answer.value)) for answer in answers))
    return "\n".join(
        f"{answer.key:{keys}}  {typer.style(_cut(_shown(answer.value), values), fg='green')}  "
        + ", ".join(_origin(one) for one in answer.effective)
        for answer in answers
    )


def _origin(one: "Setting") -> str:
    return one.place.partition(" ")[0] or one.name


def _cut(text: str, width: int) -> str:
    return f"{text if len(text) <= width else text[: width - 1] + '…':{width}}"


def _shown(value: Any) -> str:  # noqa: ANN401  # any value
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False, default=str)
