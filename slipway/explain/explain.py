"""Explain a key of one environment: a setting of its stack, a value of Harbor's chart, or a section of either.

explain(root, "prod", "network.nat")
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from infra.assemble import example
from infra.delivery.inputs import read_overrides
from infra.errors import Problem, SettingsError
from infra.layers import did_you_mean
from infra.stack_config import stack_file
from slipway.explain.answer import Answer, Setting
from slipway.explain.chart import explain_values, value_keys
from slipway.explain.settings import Origins, chosen_settings, explain_settings, origins, setting_keys
from slipway.rendering import read_facts

#: A section of more than that would be a wall of text, and slow: each value's facts are tried out.
_MOST_VALUES = 12


def explain(root: Path, environment: str, key: str, *, facts_source: str | None = None) -> Sequence[Answer]:
    """Explain a key, or, without one, every setting that stands in a file.

    Args:
        root: the project's folder.
        environment: name of the stack file.
        key: dotted; empty for the settings that somebody chose.
        facts_source: file with facts, ``-`` for stdin, or None for example facts.

    Raises:
        SettingsError: the stack file or the facts are not usable, or there is no such key.
        ValuesError: the facts are none that Harbor can run on.
    """
    found = origins(stack_file(root, environment))
    if not key:
        return chosen_settings(found)
    settings = explain_settings(found, key)
    if key in setting_keys():
        return settings
    facts = read_facts(facts_source, environment) if facts_source else example(found.settings)
    values = explain_values(facts, read_overrides(root, environment), key, most=_MOST_VALUES)
    if values is None and not settings:
        raise _unknown(key, environment, [*setting_keys(), *value_keys(facts.chart_version)])
    followed = [replace(one, follows=[_followed(found, fact.name) for fact in one.follows]) for one in values or ()]
    return [*settings, *followed]


def _followed(found: Origins, name: str) -> Setting:
    """Say where a setting that a value follows is set; what is no setting is a fact of AWS."""
    (answer, *_) = explain_settings(found, name) or [None]
    if answer is None:
        return Setting(name=f"fact {name}", value=None, place="pulumi up")
    (layer, *_) = [*answer.effective[-1:], *answer.layers[:1], Setting(name="default", value=None)]
    return Setting(name=name, value=answer.value, place=layer.place or layer.name)


def _unknown(key: str, environment: str, known: Sequence[str]) -> SettingsError:
    hint = did_you_mean(key, known)
    if not hint:
        same_end = [one for one in known if one.rpartition(".")[2] == key.rpartition(".")[2]]
        hint = f"; did you mean {same_end[0]!r}?" if same_end else ""
    return SettingsError(
        Problem(
            where=f"slipway explain {environment}",
            what=f"there is no setting and no value of the chart called {key!r}{hint}",
            fix="settings are in docs/settings.md, values in the official chart's values.yaml",
        )
    )
