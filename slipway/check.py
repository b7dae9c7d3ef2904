"""Judge one environment: rules, waivers, and what the next `up` would do to what is there."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from infra.errors import Problem, SettingsError
from infra.support import ending_support
from policy.judge import Verdict, judge
from policy.review import misfits, notices
from policy.rule import Context
from policy.rules import RULES
from policy.waivers import FILE, waivers_of
from slipway.graph.against_state import Loss, holds_data, losses
from slipway.graph.environment import Recorded, record_environment


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What is to be said about an environment.

    Attributes:
        verdicts: of every rule that holds for its profile.
        notices: about waivers and versions whose support ends.
        losses: what `up` would replace or delete; None where no state was given.
    """

    verdicts: Sequence[Verdict]
    notices: Sequence[str]
    losses: Sequence[Loss] | None

    @property
    def passes(self) -> bool:
        """Whether no mandatory rule is violated and no data would go."""
        violated = any(one.state == "violated" and one.rule.severity == "mandatory" for one in self.verdicts)
        return not violated and not any(map(holds_data, self.losses or ()))


def check(root: Path, environment: str, *, state: str | None = None) -> Checked:
    """Judge an environment.

    Args:
        root: the project's folder.
        environment: name of the stack file.
        state: file with the output of `pulumi stack export`, or ``-`` for stdin.

    Raises:
        SettingsError: the stack file, the waivers or the state are not usable.
        GraphError: the program failed.
    """
    waivers_of(root, environment, [rule.id for rule in RULES])  # what is wrong there is told before the program runs
    deployment = _read_state(state, environment) if state else None
    found = check_recorded(record_environment(root, environment))
    return replace(found, losses=losses(root, environment, deployment)) if deployment is not None else found


def check_recorded(recorded: Recorded) -> Checked:
    """Judge an environment that was recorded; as `check`, without a state."""
    root, environment, today = recorded.root, recorded.settings.environment, datetime.now(UTC).date()
    waivers = waivers_of(root, environment, [rule.id for rule in RULES])
    verdicts = judge(Context(graph=recorded.graph, profile=recorded.settings.profile, today=today), RULES, waivers)
    if wrong := misfits(waivers, verdicts, FILE.format(environment=environment)):
        raise SettingsError(*wrong)
    return Checked(
        verdicts=verdicts,
        notices=[*ending_support(recorded.settings, today), *notices(waivers, verdicts, today)],
        losses=None,
    )


def _read_state(source: str, environment: str) -> dict[str, object]:
    """Read an exported state.

    Raises:
        SettingsError: no such file, no state in it, or the state of another stack.
    """
    named = "stdin" if source == "-" else source
    fix = f"give what `pulumi stack export --stack {environment}` prints"
    try:
        deployment = json.loads(sys.stdin.read() if source == "-" else Path(source).read_text())["deployment"]
        stacks = {resource["urn"].split("::")[0].split(":")[2] for resource in deployment.get("resources") or []}
    except OSError as error:
        raise SettingsError(Problem(where=named, what=f"cannot be read: {error.strerror}", fix=fix)) from None
    except (ValueError, LookupError, TypeError, AttributeError):
        raise SettingsError(Problem(where=named, what="is no exported state", fix=fix)) from None
    if others := stacks - {environment}:
        raise SettingsError(Problem(where=named, what=f"is the state of {', '.join(sorted(others))}", fix=fix))
    return deployment
