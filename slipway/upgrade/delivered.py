"""What the GitOps branch delivers now, and whether it is what this Slipway would render from the same facts."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from infra.delivery.git import Remote
from infra.delivery.inputs import Inputs
from infra.delivery.lock import blob_id
from infra.delivery.present import in_folder, present
from infra.errors import Problem, UpgradeError
from values import contract
from values.facts import SUPPORTED_CHART_VERSIONS, Facts
from values.support import HARBOR_FILES

_OVERRIDE = "/release/values/override-"
_INSIDE = f"/support/{HARBOR_FILES}/"


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """One environment as its branch has it.

    Attributes:
        commit: the branch's last; empty where files only are delivered.
        facts: of the last publish.
        overrides: the team's own values that it is made with.
        files: path → text.
        edited: generated paths that somebody else changed since.
        pending: paths that the next publish would change by itself, whatever the chart.
    """

    commit: str
    facts: Facts
    overrides: Mapping[str, str]
    files: Mapping[str, str]
    edited: tuple[str, ...]
    pending: tuple[str, ...]


def delivered(
    remote: Remote, *, gitops_path: str, environment: str, overrides: Mapping[str, str], inside: Mapping[str, str]
) -> Delivered | None:
    """Read what the branch delivers for an environment; None before the first publish.

    Args:
        remote: the branch.
        gitops_path, environment: where it stands.
        overrides: the team's own values now, for manifests: these do not show the values that they were made with.
        inside: harbor.yaml now, where none is delivered yet.

    Raises:
        RemoteUnavailable, HumanEdit: see `infra.errors`.
        UpgradeError: facts that this Slipway does not read.
        ValuesError: it cannot render them.
    """
    there = (
        in_folder(Path(remote.folder), gitops_path=gitops_path, environment=environment)
        if remote.folder
        else present(remote, gitops_path=gitops_path, environment=environment)
    )
    if there.lock is None:
        return None
    facts = _facts(there.texts, "/".join(filter(None, (gitops_path, "apps/harbor", environment, "facts.json"))))
    if facts.content == "values":
        overrides = _overrides(there.texts)
    wanted, locked = {}, {}
    # Of a chart without a contract nothing can be rendered; the plan refuses it.
    if facts.chart_version in SUPPORTED_CHART_VERSIONS:
        overrides = {
            name: text for name, text in overrides.items() if not contract.findings(name, text, facts.chart_version)
        }
        inputs = Inputs(facts.to_json(), overrides, _inside(there.texts) or inside)
        wanted = {path: blob_id(text) for path, text in inputs.files().items()}
        locked = there.lock.files
    return Delivered(
        commit=there.commit,
        facts=facts,
        overrides=overrides,
        files=there.texts,
        edited=there.edited,
        pending=tuple(sorted(path for path in {*wanted, *locked} if wanted.get(path) != locked.get(path))),
    )


def _overrides(texts: Mapping[str, str]) -> dict[str, str]:
    return {
        path.rpartition(_OVERRIDE)[2].removesuffix(".yaml"): text for path, text in texts.items() if _OVERRIDE in path
    }


def _inside(texts: Mapping[str, str]) -> dict[str, str]:
    return {path.rpartition(_INSIDE)[2]: text for path, text in texts.items() if _INSIDE in path}


def _facts(texts: Mapping[str, str], path: str) -> Facts:
    try:
        return Facts.from_json(texts[path])
    except (KeyError, ValidationError) as error:
        what = "is not there" if isinstance(error, KeyError) else "are facts that this Slipway does not read"
        fix = "publish once with `pulumi up`, wait until it is delivered, then upgrade"
        raise UpgradeError(Problem(where=path, what=what, fix=fix)) from None
