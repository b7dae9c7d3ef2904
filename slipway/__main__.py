"""`python -m slipway`: the command where nothing is installed but its packages, as in a pipeline."""

from slipway.cli import main

main()
