"""What the GitOps branch delivers now: chart, facts and overrides, and whether it is what this Slipway renders."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from infra.delivery.git import Git, Remote, repository
from infra.delivery.inputs import Inputs, lock_path
from infra.delivery.lock import Lock, blob_id
from infra.errors import Problem, UpgradeError
from values.facts import SUPPORTED_CHART_VERSIONS, Facts

_VALUES = "/release/values/override-"


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """One environment as its branch has it.

    Attributes:
        commit: the branch's last.
        facts: of the last publish.
        overrides: a team's values at that time, name → text.
        files: path → text as this Slipway renders them from these.
        edited: generated paths that somebody else changed since.
        pending: paths that the next publish would change by itself, whatever the chart.
    """

    commit: str
    facts: Facts
    overrides: Mapping[str, str]
    files: Mapping[str, str]
    edited: tuple[str, ...]
    pending: tuple[str, ...]


def delivered(remote: Remote, *, gitops_path: str, environment: str) -> Delivered | None:
    """Read what the branch delivers for an environment; None before the first publish.

    Raises:
        RemoteUnavailable, HumanEdit: see `infra.errors`.
        UpgradeError: facts that this Slipway does not read.
        ValuesError: it cannot render them.
    """
    with repository(remote) as git:
        base = git.fetch()
        path = lock_path(gitops_path, environment)
        blob = git.blobs(base, [path]).get(path)
        if not base or not blob:
            return None
        lock = Lock.from_json(git.read_blob(blob), path)
        present = git.blobs(base, [*lock.files])
        facts = _facts(git, present, path.removesuffix(".slipway.lock.json") + "facts.json")
        overrides = {
            one.rpartition(_VALUES)[2].removesuffix(".yaml"): git.read_blob(blob)
            for one, blob in present.items()
            if _VALUES in one
        }
    # Of a chart without a contract nothing can be said; the plan refuses it.
    known = facts.chart_version in SUPPORTED_CHART_VERSIONS
    files = Inputs(facts.to_json(), overrides).files() if known else {}
    wanted = {one: blob_id(text) for one, text in files.items()}
    return Delivered(
        commit=base,
        facts=facts,
        overrides=overrides,
        files=files,
        edited=tuple(sorted(one for one, blob in lock.files.items() if present.get(one) != blob)),
        pending=tuple(
            sorted(one for one in {*wanted, *lock.files} if known and wanted.get(one) != lock.files.get(one))
        ),
    )


def _facts(git: Git, present: Mapping[str, str], path: str) -> Facts:
    try:
        return Facts.from_json(git.read_blob(present[path]))
    except (KeyError, ValidationError) as error:
        what = "is not there" if isinstance(error, KeyError) else "are facts that this Slipway does not read"
        fix = "publish once with `pulumi up`, wait until it is delivered, then upgrade"
        raise UpgradeError(Problem(where=path, what=what, fix=fix)) from None
