"""Every error that Slipway raises on purpose.

    x SlipwayError              something the user can act on; printed without a traceback
      + SettingsError           the stack file or the stack configuration
      + GraphError              the program declared something that the record cannot hold
      + PublishError            the GitOps repository
        - RemoteUnavailable     it cannot be reached, does not exist, or refuses our credentials
        - PushRefused           it answered and said no (protected branch, hook)
        - PushRaceLost          somebody else kept pushing first
        - HumanEdit             a generated file was edited by hand
        - ChartDowngrade        the branch already delivers a newer chart
        - WouldUninstall        a rename: what runs would be uninstalled, or delivered twice
        - HostRefused           the Git host's API: no such right, no answer, or it said no
      + ToolError               a program of the field is missing, too old, or could not be built
      + ChartUnavailable        the chart's archive is neither in the cache nor to be had from its repository
      + ClusterError            the Kubernetes API: no rights, or no Flux behind it
        - ClusterAway           it does not answer, or not yet
      + UpgradeError            the upgrade is refused, or stopped before its end
      + NotDelivered            Flux has not delivered the commit
      + BootstrapError          the account: no rights to it, or something in it is somebody else's
      + RehearsalError          the rehearsal could not go on
      + ProofError              the proof may not begin, a step of it failed, or it left something
      + KindError               the laptop's cluster: a program is missing, or somebody else's thing is in the way
      + HarborError             Harbor's API said no, or what it said is of no use
        - HarborAway            no answer, or one that says to come back later
        - AnswerLost            a request that changes something got no answer: it may have been done
        - AnswerUnreadable      the answer is not what Harbor's API gives
        - ListMoved             a list kept changing while its pages were read
        - LoginRefused          wrong name or secret, locked, expired, disabled; or the session ended for good
        - RightMissing          logged in, without the right to do this
        - ReadOnlyMode          Harbor takes no changes at present
        - NothingThere          no such object, or none that the sender may see
        - AlreadyThere          the name is taken
        - NotAllowedNow         something else must be so first (not empty, in use, unsigned)
        - InputRefused          Harbor does not take these values
        - FeatureMissing        this Harbor is too old for what was asked
      + SpecError               harbor.yaml, or what it wants of a Harbor that has something else
      + LedgerError             the ledger of what we own cannot be read or kept
        - LedgerMoved           somebody else wrote it meanwhile: two runs at the same time
      + PlanStale               the plan file is not of this server, this file, or this moment
      + SecretStoreError        the place where a robot's secret is kept cannot be read or written
      + MigrationError          the source of a migration cannot be read, or cannot become what is wanted
      + DelegationPending       the domain's parent does not point at the new zone yet

`x` is the root. ``values/`` raises its own ``ValuesError`` (it imports nothing from here).
An error holds all problems that were found, never only the first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong, in the four parts that a person needs.

    Attributes:
        what: the fact, with the offending value in it.
        where: file (with line, where known) and key; empty when there is no such place.
        fix: what to do next.
    """

    what: str
    where: str = ""
    fix: str = ""

    def __str__(self) -> str:
        """Give the problem on one or two lines: ``where: what`` and, indented, the fix."""
        first = f"{self.where}: {self.what}" if self.where else self.what
        return f"{first}\n    {self.fix}" if self.fix else first


class SlipwayError(Exception):
    """Root of the tree; ``exit_code`` is what the command line ends with."""

    exit_code: ClassVar[int] = 1

    def __init__(self, *problems: Problem, detail: str = "") -> None:
        self.problems: Sequence[Problem] = problems
        self.detail = detail
        super().__init__(problems, detail)

    def __str__(self) -> str:
        """Give every problem, then the detail (a diff, a program's own words)."""
        return "\n".join([*map(str, self.problems), *([self.detail] if self.detail else [])])


class SettingsError(SlipwayError):
    """The settings are not usable: unknown, missing, mistyped or contradicting."""

    exit_code = 2


class GraphError(SlipwayError):
    """The program could not be recorded."""


class PublishError(SlipwayError):
    """The GitOps repository does not hold what was rendered."""


class RemoteUnavailable(PublishError):
    """No answer from the remote, no such repository, or no right to read it."""


class PushRefused(PublishError):
    """The remote answered the push with a refusal that trying again will not change."""


class PushRaceLost(PublishError):
    """The branch moved under every attempt."""

    exit_code = 3


class HumanEdit(PublishError):
    """A file that Slipway owns was changed by somebody else since its last commit."""


class ChartDowngrade(PublishError):
    """The branch delivers a newer chart; Harbor's migrations only go forward."""


class WouldUninstall(PublishError):
    """Under another name, Flux would uninstall what runs, or two environments would deliver one registry."""


class HostRefused(PublishError):
    """The Git host's API does not do what was asked for."""


class ToolError(SlipwayError):
    """pulumi, go or git is missing, too old, or did not build."""


class ChartUnavailable(SlipwayError):
    """The chart is not in the cache, and its repository does not give it."""


class ClusterError(SlipwayError):
    """The cluster cannot be reached, refuses us, or has no Flux that we understand."""


class ClusterAway(ClusterError):
    """No answer from the API server, or one that says to come back later: it may be restarting."""


class NotDelivered(SlipwayError):
    """Flux failed to deliver a commit, or was still at it when the time was up."""


class UpgradeError(SlipwayError):
    """The upgrade is refused, was not confirmed, or stopped before its end."""


class RehearsalError(SlipwayError):
    """The rehearsal stopped before its end."""


class TeardownError(SlipwayError):
    """The teardown stopped before its end, or was not confirmed."""


class ProofError(SlipwayError):
    """The proof may not begin, a step of it failed, or something of it is left."""


class BootstrapError(SlipwayError):
    """The account cannot be prepared: no rights to it, or something in it is somebody else's."""


class KindError(SlipwayError):
    """A cluster on this machine cannot be made, reached or removed; nothing of anybody else's was touched."""


class HarborError(SlipwayError):
    """Harbor's API did not do what was asked.

    Attributes:
        status: of the answer; None where there was none.
        code: Harbor's word for it, such as CONFLICT; empty where it had none.
    """

    def __init__(self, *problems: Problem, detail: str = "", status: int | None = None, code: str = "") -> None:
        super().__init__(*problems, detail=detail)
        self.status = status
        self.code = code


class HarborAway(HarborError):
    """No answer: the address, the network, the certificate; or Harbor and what is before it say to come back later."""


class AnswerLost(HarborError):
    """A request that changes something got no answer. Look whether it was done before sending it again."""


class AnswerUnreadable(HarborError):
    """Cut off, not JSON, or not what the API describes."""


class ListMoved(HarborError):
    """Rows came and went between the pages of a list, each time that it was read."""


class LoginRefused(HarborError):
    """Not logged in: wrong name or secret, a locked user, a robot that expired or is disabled, an ended session."""


class RightMissing(HarborError):
    """The sender is known and may not do this."""


class ReadOnlyMode(HarborError):
    """Harbor is in read-only mode: nothing can be changed but that."""


class NothingThere(HarborError):
    """It does not exist, or not for this sender."""


class AlreadyThere(HarborError):
    """Something of that name exists."""


class NotAllowedNow(HarborError):
    """A precondition does not hold."""


class InputRefused(HarborError):
    """Harbor refuses the values; it says so with 400, 422, and often with 500."""


class FeatureMissing(HarborError):
    """An older Harbor would drop the field without a word, so it is not sent."""


class SpecError(SlipwayError):
    """What harbor.yaml says is not usable. Not 2 as for settings: of `harbor plan` that means a difference."""


class LedgerError(SlipwayError):
    """The ledger cannot be read or written, or is another instance's."""


class LedgerMoved(LedgerError):
    """Somebody else wrote the ledger since we read it."""


class PlanStale(SlipwayError):
    """What the plan was made from is no longer so; nothing was changed."""


class SecretStoreError(SlipwayError):
    """The place where a robot's secret is kept cannot be read or written, or holds something else."""


class MigrationError(SlipwayError):
    """The source of a migration cannot be read, or what is in it cannot become a part of this Harbor as it is."""


class DelegationPending(SlipwayError):
    """The parent zone does not delegate to the new zone yet."""
