"""What a commit is made from: facts and the team's overrides; and the files that follow from them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from infra.errors import Problem, SettingsError
from infra.stack_config import STACKS
from values.facts import Facts


@dataclass(frozen=True)
class Inputs:
    """Facts as JSON text, and files of a team. Text, because Pulumi would turn integers into floats.

    Attributes:
        overrides: values of the team's own, name → YAML text.
        inside: harbor.yaml, name → text; counts only where the cluster's jobs read it (`harbor.layer3`).
    """

    facts_json: str
    overrides: Mapping[str, str] = field(default_factory=dict)
    inside: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def facts(self) -> Facts:
        """The facts, read."""
        return Facts.from_json(self.facts_json)

    @property
    def name(self) -> str:
        """The environment's name."""
        return self.facts.environment

    @property
    def folders(self) -> tuple[str, str]:
        """The two folders below which everything of the environment stands."""
        return folders(self.facts.gitops_path, self.facts.environment)

    @property
    def lock_path(self) -> str:
        """Where the environment's lock stands in the repository."""
        return lock_path(self.facts.gitops_path, self.facts.environment)

    def files(self) -> dict[str, str]:
        """Render: path in the repository → text.

        Raises:
            ValuesError: a key that the chart does not know, or a value of the wrong type; manifests that are not fixed.
            ChartUnavailable: manifests without the chart.
        """
        if self.facts.content == "manifests":
            from infra.charts import archive  # noqa: PLC0415
            from values.manifests import manifests  # noqa: PLC0415  # Helm's engine is for those who render charts

            chart = archive(self.facts.chart_version, self.facts.chart_repository)
            return manifests(self.facts, self.overrides, chart, self.delivered)
        from values.render import render  # noqa: PLC0415  # jinja2 is for those who render

        return render(self.facts, self.overrides, self.delivered)

    @property
    def delivered(self) -> Mapping[str, str]:
        """What of harbor.yaml goes into the repository."""
        return self.inside if self.facts.harbor.layer3.enabled else {}

    def as_values(self) -> "Inputs":
        """Give the same with values in Git, whatever is delivered: what the chart is handed."""
        if self.facts.content == "values":
            return self
        return Inputs(self.facts.model_copy(update={"content": "values"}).to_json(), self.overrides, self.inside)

    def digest(self) -> str:
        """Give the digest that the commit's trailer and the lock carry."""
        parts = [self.facts.to_json(), sorted(self.overrides.items())]
        text = json.dumps(parts + ([sorted(self.delivered.items())] if self.delivered else []))
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def lock_path(gitops_path: str, environment: str) -> str:
    """Where an environment's lock stands in the repository."""
    return "/".join(filter(None, (gitops_path, "apps/harbor", environment, ".slipway.lock.json")))


def folders(gitops_path: str, environment: str) -> tuple[str, str]:
    """Give the two folders below which everything of an environment stands: what Flux begins with, and the rest."""
    root = f"{gitops_path}/" if gitops_path else ""
    return f"{root}clusters/{environment}", f"{root}apps/harbor/{environment}"


def read_overrides(root: Path, environment: str) -> dict[str, str]:
    """Read a team's own additions to Harbor's values, ``stacks/<environment>/values/*.yaml``: name → text, in order.

    Raises:
        SettingsError: a file that is not UTF-8 text.
    """
    folder = root / STACKS / environment / "values"
    return {path.stem: _text(path) for path in sorted(folder.glob("*.yaml"))}


def read_inside(root: Path, environment: str) -> dict[str, str]:
    """Read what is to live inside Harbor, ``stacks/<environment>/harbor.yaml`` or the folder ``harbor``: name → text.

    Raises:
        SettingsError: a file that is not UTF-8 text.
    """
    home = root / STACKS / environment
    folder, file = home / "harbor", home / "harbor.yaml"
    if folder.is_dir():
        found = sorted(path for path in folder.rglob("*") if path.suffix in {".yaml", ".yml"} and path.is_file())
        # A ConfigMap has no folders.
        return {path.relative_to(folder).as_posix().replace("/", "--"): _text(path) for path in found}
    return {file.name: _text(file)} if file.is_file() else {}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SettingsError(Problem(where=str(path), what=f"is not UTF-8 text ({error.reason})")) from None
