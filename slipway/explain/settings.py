"""Where a setting of one environment comes from: the model, the profile, what stacks share, or the stack file.

explain_settings(origins(path), "network.nat")[0].effective
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from infra import tables
from infra.layers import MISSING, PREFIX, Layer, at, layers_of
from infra.settings import Settings
from infra.stack_config import from_stack_file, meaning
from slipway.explain.answer import Answer, Setting
from values.composition import profile as harbor_profile
from values.merge import merged


@dataclass(frozen=True, kw_only=True)
class Origins:
    """The settings of one environment and every layer that they come from, lowest first; `files` are in a file."""

    root: Path
    settings: Settings
    layers: Sequence[Layer]
    files: Sequence[Layer]


def origins(path: Path) -> Origins:
    """Read an environment with all of its layers.

    Raises:
        SettingsError: see `infra.stack_config.from_stack_file`.
    """
    settings = from_stack_file(path)
    files, _ = layers_of(path)
    default = Layer(name="default", values=_nested(_defaults(settings)))
    profile = Layer(name=f"profile {settings.profile}", values=_nested(_profile(settings)))
    return Origins(root=path.parent.parent, settings=settings, layers=[default, profile, *files], files=files)


def explain_settings(found: Origins, key: str) -> list[Answer]:
    """Explain a setting, or each one of a section; nothing where there is none of that name."""
    wanted = key.removeprefix(PREFIX)
    return [_explain(found, one) for one in setting_keys() if one == wanted or one.startswith(f"{wanted}.")]


def chosen_settings(found: Origins) -> list[Answer]:
    """Explain every setting that is not what the model or the profile would give, in the model's order."""
    answers = [_explain(found, key) for key in setting_keys()]
    names = {layer.name for layer in found.files}
    return [one for one in answers if {layer.name for layer in one.effective} & names and not _is_default(one, names)]


def _is_default(answer: Answer, files: set[str]) -> bool:
    below = [layer.value for layer in answer.layers if layer.name not in files]
    return bool(below) and answer.value == below[-1]


def setting_keys() -> list[str]:
    """Give every setting by its dotted name."""
    return [key for key, _ in _leaves(Settings, "")]


def _explain(found: Origins, key: str) -> Answer:
    parts = tuple(key.split("."))
    told = [
        Setting(name=layer.name, value=_plain(value), place=_place(found, layer, parts))
        for layer in found.layers
        if (value := at(layer.values, parts)) is not MISSING
    ]
    # A null is written where somebody wants the profile's again.
    said = [one for one in told if one.value is not None]
    value, effective = (said[-1].value if said else None), said[-1:]
    if isinstance(value, dict):
        value = reduce(merged, [one.value for one in said], {})
        effective = [one for one in said if one.value]
    return Answer(key=key, kind="setting", why=meaning(parts), layers=told, effective=effective, value=value)


def _place(found: Origins, layer: Layer, parts: tuple[str, ...]) -> str:
    return layer.place(parts).partition(" ")[0].removeprefix(f"{found.root}/") if layer in found.files else ""


def _defaults(settings: Settings) -> dict[str, Any]:
    """Give the model's own defaults; an optional one is the profile's, or nothing."""
    known = {
        key: _plain(info.default)
        for key, info in _leaves(Settings, "")
        if info.default is not PydanticUndefined and info.default is not None
    }
    expose = settings.harbor.expose.type or "alb"
    return known | {"harbor.expose.type": "alb", "harbor.infrastructure.loadBalancerController": expose == "alb"}


def _profile(settings: Settings) -> dict[str, Any]:
    """Give what the profile decides where nobody else does; a test holds it to the settings' own properties."""
    defaults, harbor = settings.defaults, harbor_profile(settings.profile)
    names = {name: info.alias for name, info in type(settings.sizes).model_fields.items()}
    return {
        "zones": list(tables.default_zones(settings.region)[: defaults.zones]),
        "network.nat": defaults.nat,
        "dns.healthCheck": defaults.health_check,
        "database.backupRetentionDays": defaults.backup_retention_days,
        "backup.copyRegion": tables.copy_region(settings.region) if defaults.copies else "",
        "alarms.monthlyBudgetUsd": defaults.monthly_budget_usd,
        **{f"sizes.{names[name]}": value for name, value in defaults.sizes.items()},
        **{f"harbor.replicas.{name}": count for name, count in harbor["replicas"].items()},
        "harbor.monitoring.metrics": harbor["metrics"],
        "harbor.trivy.cacheSize": harbor["trivyCache"],
    }


def _leaves(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, FieldInfo]]:
    """Give every setting below a model, dotted name and field; a section is none itself."""
    for name, info in model.model_fields.items():
        key = f"{prefix}{info.alias or name}"
        if section := _section(info):
            yield from _leaves(section, f"{key}.")
        elif key != "environment":  # the file's name
            yield key, info


def _section(info: FieldInfo) -> type[BaseModel] | None:
    annotation = info.annotation
    options = get_args(annotation) if get_origin(annotation) in {Union, UnionType} else (annotation,)
    return next((one for one in options if isinstance(one, type) and issubclass(one, BaseModel)), None)


def _nested(dotted: Mapping[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for key, value in dotted.items():
        *sections, name = key.split(".")
        place = nested
        for section in sections:
            place = place.setdefault(section, {})
        place[name] = value
    return nested


def _plain(value: Any) -> Any:  # noqa: ANN401  # any setting
    if isinstance(value, SecretStr):
        return "(encrypted)"
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
