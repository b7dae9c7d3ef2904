"""An upgrade as steps that can each be done again: a run that was killed goes on where the next one begins."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from infra.delivery.order import Published
from infra.delivery.status.chain import Chain
from infra.errors import Problem, UpgradeError
from infra.stack_config import stack_file
from slipway.rendering import publish_environment
from slipway.steps import Step
from slipway.upgrade.plan import Plan
from slipway.upgrade.stack_file import write_version

Follow = Callable[[], Chain]


@dataclass(frozen=True, kw_only=True)
class Done:
    """What a step did.

    Attributes:
        step: its short name: ``look``, ``stack file``, ``publish``, ``deliver``.
        says: in words.
    """

    step: str
    says: str


def upgrade_steps(
    plan: Plan, root: Path, *, look: Follow | None, follow: Follow | None, note: Callable[[str], None]
) -> list[Step[Done]]:
    """Give the steps; what waits in a pull request, or for somebody's commit, is not followed.

    Args:
        plan: what was agreed to.
        root: the project.
        look: looks once at the delivery; None where the cluster is left out.
        follow: follows the delivery to its end.
        note: told about lost races.
    """
    published: list[Published] = []
    steps = [
        Step("edit the stack file", lambda: _edit(plan, root)),
        Step("publish", lambda: _publish(plan, note, published)),
    ]
    # After a run that was killed the delivery is under way already, and is followed.
    if look and not plan.is_delivered:
        steps.insert(0, Step("look at what is delivered now", lambda: _refuse_undelivered(plan, look)))
    if follow:
        steps.append(Step("wait until it is delivered", lambda: _wait(plan, follow, published[0])))
    return steps


def _refuse_undelivered(plan: Plan, look: Follow) -> Done:
    chain = look()
    moved = bool(plan.commit) and chain.commit != plan.commit
    if chain.verdict != "delivered" or moved:
        link = chain.stands_at
        says = f"is not what the cluster has: {link.name}: {link.says}"
        if moved:
            says = f"is no longer the branch's last, which is {chain.commit[:12]}: plan again"
        fix = f"slipway status {plan.environment} --wait; then run the upgrade again"
        raise UpgradeError(Problem(where=f"commit {(plan.commit or chain.commit)[:12]}", what=says, fix=fix))
    return Done(step="look", says=f"{chain.commit[:12]} is delivered")


def _edit(plan: Plan, root: Path) -> Done:
    path = stack_file(root, plan.environment)
    shown = path.relative_to(root)
    if write_version(path, plan.after):
        return Done(step="stack file", says=f"{shown}: chartVersion {plan.stack_file} → {plan.after}")
    return Done(step="stack file", says=f"{shown} says {plan.after} already")


def _publish(plan: Plan, note: Callable[[str], None], result: list[Published]) -> Done:
    # The facts that Pulumi knows still name the chart before; these are the branch's own with the new version.
    with tempfile.TemporaryDirectory(prefix="slipway-") as folder:
        facts = Path(folder) / "facts.json"
        facts.write_text(plan.facts.to_json())
        published = publish_environment(plan.environment, str(facts), dry_run=False, take_over=False, progress=note)
    result.append(published)
    if published.pull_request:
        return Done(step="publish", says=f"waits for somebody to merge it: {published.pull_request}")
    if not published.commit:
        return Done(step="publish", says=f"{len(published.changed)} files written; they wait for somebody's commit")
    if published.created:
        return Done(step="publish", says=f"committed {published.commit[:12]}: {len(published.changed)} files")
    return Done(step="publish", says=f"{published.commit[:12]} has it already")


def _wait(plan: Plan, follow: Follow, published: Published) -> Done:
    if published.pull_request or not published.commit:
        return Done(step="deliver", says=f"afterwards: slipway status {plan.environment} --wait")
    chain = follow()
    if chain.verdict == "delivered":
        return Done(step="deliver", says=f"{chain.commit[:12]} is delivered")
    link = chain.stands_at
    fix = (
        f"{link.next}; nothing is rolled back. When it is mended, or only slow: slipway upgrade {plan.environment} "
        f"--to {plan.after} --apply goes on. The way back: docs/upgrading-harbor.md"
    )
    what = f"{'failed' if chain.verdict == 'failed' else 'is not there yet'}: {link.says}"
    raise UpgradeError(Problem(where=link.name, what=what, fix=fix.removeprefix("; ")))
