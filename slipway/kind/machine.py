"""What this machine must have before anything is made: programs, rights, a free port."""

import re
import shutil
import socket
from collections.abc import Callable, Iterator

from infra import tables
from infra.errors import KindError, Problem
from slipway.kind.commands import Answer, Commands, missing_problem
from slipway.kind.place import Place

_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")
#: Architectures that Harbor's images are made for.
_RUNS_HARBOR = {"x86_64", "amd64"}
_EMULATED = (
    "this machine is {architecture}, and Harbor's images are amd64 alone up to 2.15: Docker must emulate them (Docker "
    "Desktop: Rosetta; Linux: docker run --privileged --rm tonistiigi/binfmt --install amd64), and they run several "
    "times slower; without emulation the pods stop with `exec format error`"
)


def check_machine(commands: Commands, *, direct: bool, note: Callable[[str], None]) -> None:
    """Refuse a machine that cannot do it, with everything that is missing at once.

    Args:
        commands: run by.
        direct: helm is needed.
        note: told what a person must know.

    Raises:
        KindError: with each thing that is missing.
    """
    problems = [*_docker(commands, note), *_kind(commands), *_kubectl(commands), *(_helm(commands) if direct else ())]
    if not direct and not commands.is_dry and not shutil.which("git"):
        problems.append(missing_problem("git"))
    if problems:
        raise KindError(*problems)


def refuse_taken_port(place: Place) -> None:
    """Refuse a port that somebody listens on; asked before a cluster is made, not when it has the port itself.

    Raises:
        KindError: it is taken, or needs rights.
    """
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", place.host_port))
        except PermissionError:
            return  # Docker's own process binds it, with rights that we need not have
        except OSError as error:
            raise KindError(
                Problem(
                    where=f"--host-port {place.host_port}",
                    what=f"port {place.host_port} of 127.0.0.1 is in use ({error.strerror})",
                    fix=f"end what listens there (lsof -i :{place.host_port}), or give another: --host-port "
                    f"{place.host_port + 1}; the cluster keeps it for life",
                )
            ) from None


def _asked(commands: Commands, *command: str, fresh: str) -> Answer | Problem:
    try:
        return commands.attempt(*command, fresh=fresh)
    except KindError as error:
        return error.problems[0]


def _docker(commands: Commands, note: Callable[[str], None]) -> Iterator[Problem]:
    asked = _asked(commands, "docker", "info", "--format", "{{.ServerVersion}} {{.Architecture}}", fresh="29.0 x86_64")
    if isinstance(asked, Problem):
        yield asked
        return
    said = asked.err.strip()
    if "permission denied" in said.lower():
        yield Problem(
            where="docker info",
            what="you may not use Docker: its socket refuses you",
            fix="sudo usermod -aG docker $USER and log in again (that group is as good as root), or rootless Docker",
        )
    elif asked.code or not asked.out.strip() or said.startswith(("ERROR", "Cannot connect")):
        words = said.splitlines()[-1] if said else "no answer"
        yield Problem(where="docker info", what=f"Docker does not answer: {words}", fix="start it, then run this again")
    elif (architecture := asked.out.split()[-1]) not in _RUNS_HARBOR:
        note(f"warning: {_EMULATED.format(architecture=architecture)}")


def _kind(commands: Commands) -> Iterator[Problem]:
    yield from _version(commands, "kind", ("kind", "version"), fresh="kind v0.32.0")


def _helm(commands: Commands) -> Iterator[Problem]:
    yield from _version(commands, "helm", ("helm", "version", "--template", "{{.Version}}"), fresh="v4.2.3")


def _version(commands: Commands, program: str, command: tuple[str, ...], *, fresh: str) -> Iterator[Problem]:
    asked, oldest = _asked(commands, *command, fresh=fresh), str(tables.read("kind")["oldest"][program])
    if isinstance(asked, Problem):
        yield asked
        return
    found = _VERSION.search(asked.out)
    if asked.code or not found:
        words = (asked.err.strip() or asked.out.strip() or "nothing").splitlines()[-1]
        yield Problem(where=" ".join(command), what=f"says no version: {words}", fix=f"is {program} the right program?")
    elif tuple(map(int, found.groups())) < tuple(map(int, oldest.split("."))):
        yield Problem(where=" ".join(command), what=f"{found[0]} is older than {oldest}", fix=f"upgrade {program}")


def _kubectl(commands: Commands) -> Iterator[Problem]:
    asked = _asked(commands, "kubectl", "version", "--client", fresh="Client Version: v1.34.0")
    if isinstance(asked, Problem):
        yield asked
    elif asked.code:
        yield Problem(where="kubectl version --client", what=asked.err.strip() or "failed", fix="install it anew")
