"""Proof that a registry works: checks in the cluster, from outside, of the certificate, and a round trip.

    target = target_of("prod", …)                                   # target.py: an environment or an address
    report = asyncio.run(verify(target, Options(), select(CHECKS)))  # verify.py, check.py, catalogue.py
    as_data(report), junit.document(report)

`check.py` says what a check is; each group of checks is a module; `runner.py` runs them. What takes part in HTTP
imports aiohttp, and what looks into the cluster lightkube: import it inside functions of the command line.
"""
