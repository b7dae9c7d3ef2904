"""The process that plays: `python -m slipway.rehearse.cluster.played FOLDER`, started by the rehearsal.

FOLDER holds ``played.json`` (`Plan`). It runs until it is ended; or until FOLDER is removed, and then it ends the
other processes of the rehearsal as well, which nobody could find any more.
"""

import logging
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from lightkube.core.exceptions import ApiError

from slipway.rehearse.cluster.api import connect
from slipway.rehearse.cluster.played import external_secrets, flux_operator, load_balancer
from slipway.rehearse.cluster.played.git_server import GitServer, Identities
from slipway.rehearse.cluster.played.internet import SERVICES, internet
from slipway.rehearse.cluster.played.plan import Plan
from slipway.rehearse.cluster.played.player import is_there
from slipway.rehearse.cluster.processes import Processes, end_all
from values.infrastructure import NAMESPACES

_TICK_SECONDS = 0.25


def main(folder: Path) -> None:
    """Serve the internet and play the controllers, for as long as the folder is there."""
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    logging.getLogger("httpx2").setLevel(logging.ERROR)
    plan = Plan.read(folder)
    git = GitServer(repository=Path(plan.repository), identities=Identities(writer=plan.writer, reader=plan.reader))
    server = internet(plan.port, git, Path(plan.charts), folder / SERVICES)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = connect(Path(plan.kubeconfig), "slipway-played")
    secrets_manager = Path(plan.secrets_manager)
    players: list[Callable[[], None]] = [
        lambda: flux_operator.play(client),
        lambda: _when_there("external-secrets", lambda: external_secrets.play(client, secrets_manager)),
        lambda: _when_there("aws-load-balancer-controller", lambda: load_balancer.play(client)),
    ]

    def _when_there(controller: str, play: Callable[[], None]) -> None:
        """Play a controller once Flux has installed it, or always where it is somebody else's."""
        if controller in plan.theirs or is_there(client, NAMESPACES[controller], controller):
            play()

    processes = Processes(folder)
    others = processes.recorded()
    while processes.record.exists():
        others = processes.recorded() or others
        for play in players:
            try:
                play()
            except ApiError as error:
                logging.warning("%s", error.status.message or error)
            except Exception:  # a controller goes on whatever happens, and says what did
                logging.exception("a player failed")
        time.sleep(_TICK_SECONDS)
    end_all(others)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
