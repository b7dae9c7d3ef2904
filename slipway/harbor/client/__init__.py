"""Harbor's API: requests are made by pure functions, and sent by a client that is logged in and can prove it.

    from slipway.harbor.client import Connection, connect
    from slipway.harbor.client.api import members, projects

    connection = Connection(url="https://registry.example.com", name="admin", secret=SecretStr(password))
    async with connect(connection) as harbor:            # one login, one session, logged out at the end
        async with harbor.proven():                      # believe nothing that was read without it
            every = await harbor.all(projects.every())   # pages at the same time
            lists = await harbor.each(lambda p=p: harbor.all(members.of(p.project_id)) for p in every)

What there is:

- `Connection` and `Patience` (connection.py): where, who, how many at a time, how patient.
- `connect` → `HarborClient` (client.py): `send` one request, `all` rows of a list, `each` of many jobs (a failed one
  is its HarborError in the result), `create` with a look for what a lost answer made, `prove` and `proven`,
  `accepts` (whether a secret opens the registry), `version`, `info`, `sent`, `repeated`.
- `api/`: one module per part of the API; each function gives a `Request` or `Pages` and does nothing.
- `models/`: what goes in and out, named as the API names it; unknown fields are kept; a repr shows no secret.
- `features.py`: which Harbor (2.13 to 2.15) has which field; `send` refuses what an older one would drop.
- Errors are HarborError's tree in infra/errors.py, each with what, where and what to do.

Sent again without asking: what got no connection, 429 for all, 502, 503, 504, cuts and time-outs for what may be
sent twice. Never: 500, which is mostly bad input. Everything here imports aiohttp: import it inside functions of the
command line.
"""

from slipway.harbor.client.client import HarborClient, connect
from slipway.harbor.client.connection import Connection, Patience
from slipway.harbor.client.request import Created, Pages, Request

__all__ = ["Connection", "Created", "HarborClient", "Pages", "Patience", "Request", "connect"]
