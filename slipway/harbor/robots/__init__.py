"""Robots in pairs: least rights, an end, a secret that is proven before anybody gets it, a rotation nobody notices.

    wanted = Wanted(name="ci", rights={"payments": PRESETS["ci"]}, days=90)
    store = SecretsManagerStore(session.client("secretsmanager"), "harbor/prod/robots/payments/ci")
    async with connect(connection) as harbor:
        issued = await issue(harbor, wanted, store)      # makes what is missing, keeps what works
        issued = await rotate(harbor, wanted, store)     # the next of its steps: a second robot, wait, end the older

What there is:

- `Wanted` (wanted.py): name, rights by project, days; its two robots are NAME-a and NAME-b.
- `PRESETS` (presets.py): the rights of pull, push and ci.
- `Pair`, `Rotation`, `decide` (pair.py): what there is, and what follows from it; pure.
- `issue`, `rotate` (issue.py): do it.
- `stores/`: where secrets go: AWS Secrets Manager, a file, a Kubernetes Secret; each can hold one that is not proven.

A secret is stored as pending before Harbor has it, set, proven at the registry's own door, and only then made current:
a run that is killed anywhere is finished by the next one.
"""

from slipway.harbor.robots.issue import Issued, issue, rotate
from slipway.harbor.robots.pair import Decision, Rotation
from slipway.harbor.robots.presets import PRESETS
from slipway.harbor.robots.stores.store import Credential, Store
from slipway.harbor.robots.wanted import Wanted

__all__ = ["PRESETS", "Credential", "Decision", "Issued", "Rotation", "Store", "Wanted", "issue", "rotate"]
