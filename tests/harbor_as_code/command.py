"""`slipway harbor` as a process, against the contract server.

done = command(api, "plan", "test", "-f", str(file))
done.returncode, done.stdout
"""

import os
import subprocess
import sys

from tests.harbor.process import ROOT

_RUN = "import sys; from slipway.cli import main; sys.argv[0] = 'slipway'; main()"


def environ(api, **more):
    return os.environ | {"PYTHONPATH": str(ROOT), "SLIPWAY_HARBOR_PASSWORD": api.password, **more}


def start(api, *arguments, **more):
    """Start it and give the process."""
    return subprocess.Popen(
        [sys.executable, "-c", _RUN, "harbor", arguments[0], *arguments[1:], "--url", api.url],
        env=environ(api, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )


def command(api, *arguments, **more):
    """Run it to its end."""
    process = start(api, *arguments, **more)
    out, error = process.communicate(timeout=60)
    return subprocess.CompletedProcess(arguments, process.returncode, out, error)
