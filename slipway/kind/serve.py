"""The Git server's program: ``python -m slipway.kind.serve REPOSITORY PORT``, with WRITER and READER as variables.

It runs in the cluster from a ConfigMap that holds this file and the played Git host's, which it shares with the
rehearsal; so both import nothing but Python's own library and git.
"""

import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from slipway.rehearse.cluster.played.git_server import GitServer, Identities

BRANCH = "main"


def serve(repository: Path, port: int, identities: Identities) -> None:
    """Serve the repository for good; an empty one is made on the first start."""
    if not (repository / "HEAD").exists():
        subprocess.run(["git", "init", "--quiet", "--bare", f"--initial-branch={BRANCH}", str(repository)], check=True)
    # The publisher fetches trees without their files.
    subprocess.run(["git", "-C", str(repository), "config", "uploadpack.allowFilter", "true"], check=True)
    git = GitServer(repository=repository, identities=identities)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            git.answer(self)

        do_POST = do_GET  # noqa: N815  # their names there

    server = ThreadingHTTPServer(("", port), Handler)
    server.daemon_threads = True
    server.serve_forever()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]), Identities(writer=os.environ["WRITER"], reader=os.environ["READER"]))
