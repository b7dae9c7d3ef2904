"""What one publish has to do for its environments, judged as a whole: either all of it may be done, or nothing is.

    plans = planned(ground, renderings, store, take_over=False, tell=print)

An environment's texts are only held while it is looked at: a thousand of them fit into little memory.
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Protocol

from infra.delivery import guards
from infra.delivery.ground import Ground
from infra.delivery.inputs import Inputs, folders, lock_path
from infra.delivery.lock import Changes, Lock, blob_id, compare
from infra.errors import HumanEdit, PublishError
from values.errors import ValuesError

ROOT = Path(__file__).parents[2]
#: Of so many environments at most the commit's message tells what changes in their values.
SUMMARISED = 20
_RELEASE = re.compile(r"kind: HelmRelease\nmetadata:\n  name: (\S+)\n  namespace: (\S+)")
_RELEASE_NAME = re.compile(r"^  releaseName: (\S+)", re.MULTILINE)

Tell = Callable[[str], None]


class Store(Protocol):
    """Where texts go that are about to be written."""

    def holds(self, blob: str) -> bool:
        """Tell whether it has this content already."""

    def add(self, path: str, text: str) -> None:
        """Take a text."""


class Rendering:
    """One environment's files: their ids for good, so that a lost race costs no second rendering; texts when asked."""

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs
        self.ids: Mapping[str, str] = {}
        self.release = ""

    def texts(self) -> dict[str, str]:
        """Render: path → text.

        Raises:
            ValuesError: the values do not fit the chart.
        """
        texts = self.inputs.files()
        if not self.ids:
            self.ids = {path: blob_id(text) for path, text in texts.items()}
            self.release = next((name for path, text in texts.items() if (name := _release(path, text))), "")
        return texts


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What has to be done for one environment.

    Attributes:
        environment: its name.
        folders: below which everything of it stands.
        lock_path: where its lock stands.
        lock: as it will be; of a withdrawal, as it was.
        changes: files to write and to remove.
        due: there is anything to commit; a lock alone (a new Slipway, the same files) is no reason.
        values: the values documents that change, path → text, of the first few environments that were there before.
        withdrawn: the environment is taken out.
    """

    environment: str
    folders: tuple[str, str]
    lock_path: str
    lock: Lock
    changes: Changes
    due: bool
    values: Mapping[str, str] = field(default_factory=dict)
    withdrawn: bool = False

    @property
    def write(self) -> Mapping[str, str]:
        """Files to write, the lock among them: path → blob id."""
        if self.withdrawn:
            return {}
        files = {path: self.lock.files[path] for path in self.changes.write}
        return {**files, self.lock_path: blob_id(self.lock.to_json())}

    @property
    def remove(self) -> tuple[str, ...]:
        """Files to remove; with the last of an environment its lock."""
        return (*self.changes.remove, self.lock_path) if self.withdrawn else self.changes.remove


def planned(
    ground: Ground, renderings: Sequence[Rendering], store: Store, *, take_over: bool, tell: Tell
) -> list[Plan]:
    """Plan every environment.

    Args:
        ground: what is there.
        renderings: of the environments.
        store: given each text that has to be written.
        take_over: overwrite what somebody edited by hand.
        tell: told how far it is.

    Raises:
        PublishError, ValuesError: everything that speaks against it, in all environments.
    """
    locks = ground.read([one.inputs.lock_path for one in renderings])
    old: dict[str, Lock | None] = {}
    plans: list[Plan] = []
    failures: list[guards.Failure] = []
    summarised = 0
    for number, rendering in enumerate(renderings, 1):
        inputs, path = rendering.inputs, rendering.inputs.lock_path
        try:
            lock = old[path] = Lock.from_json(locks[path], path) if path in locks else None
            guards.refuse_moved(lock, inputs)
            guards.refuse_downgrade(lock, inputs)
            plan, texts = _plan(rendering, lock, ground.files, store, summarise=summarised < SUMMARISED)
            guards.refuse_renamed(lock, plan.lock, path)
            guards.refuse_other_content(lock, plan.lock, path)
        except (PublishError, ValuesError) as failure:
            failures.append(failure)
        else:
            plans.append(plan)
            summarised += bool(plan.values)
            # A store that fails ends it all, and is no finding about one environment.
            for written, text in texts.items() if not failures else ():
                store.add(written, text)
        tell(f"{number} of {len(renderings)} environments rendered")
    failures += guards.obstacles(ground, plans)
    failures += guards.twins(ground, plans, old)
    if not take_over:
        failures += _edits(ground, plans, {one.inputs.lock_path: one.inputs for one in renderings})
    guards.raise_all(failures)
    return plans


def _plan(
    rendering: Rendering, lock: Lock | None, files: Mapping[str, str], store: Store, *, summarise: bool
) -> tuple[Plan, Mapping[str, str]]:
    """Give the plan, and the texts that the store has not got yet."""
    inputs = rendering.inputs
    texts = {} if rendering.ids else rendering.texts()
    wanted, owned = rendering.ids, lock.files if lock else {}
    changes = compare(owned, files, wanted)
    new = Lock(
        environment=inputs.name,
        slipway=version(),
        chart=inputs.facts.chart_version,
        inputs=inputs.digest(),
        host=inputs.facts.host,
        release=rendering.release,
        files=wanted,
    )
    due = bool(changes.paths) or owned != wanted
    # A first publish changes nothing that was there: its summary would be every value.
    values = [path for path in changes.paths if "/release/values/" in path] if summarise and lock else []
    missing = [path for path in changes.write if not store.holds(wanted[path])]
    if (missing or values) and not texts:
        texts = rendering.texts()
    plan = Plan(
        environment=inputs.name,
        folders=inputs.folders,
        lock_path=inputs.lock_path,
        lock=new,
        changes=changes,
        due=due,
        values={path: texts.get(path, "") for path in values},
    )
    return plan, {path: texts[path] for path in missing} | ({plan.lock_path: new.to_json()} if due else {})


def withdrawal(ground: Ground, gitops_path: str, environment: str) -> Plan | None:
    """Plan to take an environment out; None where it is not there.

    Raises:
        HumanEdit: a file of it was edited by hand.
    """
    path = lock_path(gitops_path, environment)
    text = ground.read([path]).get(path)
    if text is None:
        return None
    lock = Lock.from_json(text, path)
    changes = compare(lock.files, ground.files, {})
    if changes.edited:
        theirs = ground.read(changes.edited[: guards.SHOWN_EDITS])
        raise guards.edits(ground, environment, changes, {}, theirs)
    return Plan(
        environment=environment,
        folders=folders(gitops_path, environment),
        lock_path=path,
        lock=lock,
        changes=changes,
        due=True,
        withdrawn=True,
    )


def _release(path: str, text: str) -> str:
    """Name the Helm release, ``namespace/name``, if this document is one."""
    found = _RELEASE.search(text) if path.endswith("/release/release.yaml") else None
    if not found:
        return ""
    named = _RELEASE_NAME.search(text)
    return f"{found[2]}/{named[1] if named else found[1]}"


def _edits(ground: Ground, plans: Sequence[Plan], inputs: Mapping[str, Inputs]) -> Iterator[HumanEdit]:
    """Stop where somebody else's content would be lost, and show it against ours."""
    edited = [plan for plan in plans if plan.changes.edited]
    theirs = ground.read([path for plan in edited for path in plan.changes.edited][: guards.SHOWN_EDITS])
    for at, plan in enumerate(edited):
        # A fleet that somebody edited as a whole is named as a whole, and shown in part.
        ours = inputs[plan.lock_path].files() if at < guards.SHOWN_EDITS else {}
        yield guards.edits(ground, plan.environment, plan.changes, ours, theirs)


@cache
def version() -> str:
    """Give Slipway's version from the project file: `pulumi up` runs without the command being installed."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
