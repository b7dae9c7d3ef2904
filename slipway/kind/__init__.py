"""A registry on this machine: a kind cluster, Flux in it, and the same rendered files as on EKS.

Everything outside this process goes through `slipway.kind.commands`, so `--dry-run` shows the commands that would run.
"""
