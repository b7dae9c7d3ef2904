"""The server's one object: state, clock, configuration and whatever operations share.

harbor = Harbor(folder)
harbor.setting("read_only")
"""

import datetime as dt
import hashlib
import json
import secrets
from collections import Counter, deque
from pathlib import Path

from tests.harbor.server.answers import missing
from tests.harbor.server.faults import Faults, Switches
from tests.harbor.server.latency import Queue
from tests.harbor.server.settings import DEFAULTS
from tests.harbor.server.state import State
from tests.harbor.server.tokens import Tokens

ADMIN_PASSWORD = "Harbor12345"


class Harbor:
    """One Harbor; `registry` is the address of the distribution server behind it, empty for none."""

    def __init__(self, folder: Path, *, registry: str = "") -> None:
        self.state = State(folder / "harbor.db")
        self.tokens = Tokens(folder)
        self.registry = registry
        self.address = ""  # its own, which replication copies to; known when it listens
        self.storage = folder / "registry"
        self.faults, self.switches, self.queue = Faults(), Switches(), Queue()
        self.ahead = dt.timedelta()
        self.counts: Counter[str] = Counter()
        self.exchanges: deque[dict] = deque(maxlen=20_000)
        self.http = None  # the client for pings, webhooks and the registry; made in the event loop
        self.background: set = set()
        self._load_settings()
        if not self.state.count("user"):
            self.seed()

    def clear(self) -> None:
        """Be as new."""
        self.state.clear()
        self._load_settings()
        self.faults, self.switches, self.queue = Faults(), Switches(), Queue()
        self.ahead = dt.timedelta()
        self.counts.clear()
        self.exchanges.clear()
        self.seed()

    def seed(self) -> None:
        """Make what a new Harbor has: the administrator, the project library, the scanner Trivy."""
        with self.state.together():
            self.add_user("admin", ADMIN_PASSWORD, realname="system admin", email="admin@example.com", sysadmin=True)
            self.add_project("library", owner=1, metadata={"public": "true"})
            self.add_quota(1, -1)
            self.state.add(
                "scanner",
                {
                    "uuid": "5c6f7a6e-0000-4000-8000-000000000001",
                    "name": "Trivy",
                    "description": "The Trivy scanner adapter",
                    "url": "http://trivy-adapter:8080",
                    "disabled": False,
                    "is_default": True,
                    "auth": "",
                    "skip_certVerify": False,
                    "use_internal_addr": True,
                    "create_time": self.stamp(),
                    "update_time": self.stamp(),
                    "immutable": True,
                },
                key="Trivy",
            )

    # --- clock

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC) + self.ahead

    def stamp(self) -> str:
        return self.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")

    # --- configuration

    def setting(self, name: str) -> object:
        return self.settings[name]

    def set_settings(self, values: dict) -> None:
        for name, value in values.items():
            found = self.state.find("setting", name)
            if found:
                self.state.put("setting", found["id"], {**found, "value": value})
            else:
                self.state.add("setting", {"name": name, "value": value}, key=name)
        self._load_settings()

    def _load_settings(self) -> None:
        self.settings = DEFAULTS | {each["name"]: each["value"] for each in self.state.all("setting")}

    # --- what several operations make

    def add_user(
        self, name: str, password: str, *, realname: str, email: str, comment: str = "", sysadmin=False
    ) -> int:
        salt = secrets.token_hex(8)
        doc = {
            "username": name,
            "realname": realname,
            "email": email,
            "comment": comment,
            "sysadmin_flag": sysadmin,
            "salt": salt,
            "hash": hashed(password, salt),
            "creation_time": self.stamp(),
            "update_time": self.stamp(),
        }
        return self.state.add("user", doc, key=name, id_key="user_id")

    def add_project(self, name: str, *, owner: int, metadata: dict, registry_id: int = 0) -> int:
        stamp = self.stamp()
        owned = self.state.get("user", owner)["username"]
        doc = {
            "owner_id": owner,
            "owner_name": owned,
            "name": name,
            "registry_id": registry_id,
            "creation_time": stamp,
            "update_time": stamp,
            "repo_count": 0,
            "metadata": metadata,
        }
        number = self.state.add("project", doc, key=name, id_key="project_id")
        doc["cve_allowlist"] = {
            "id": number,
            "project_id": number,
            "items": [],
            "creation_time": ZERO,
            "update_time": ZERO,
        }
        self.state.put("project", number, {"project_id": number, **doc})
        member = {"project_id": number, "entity_name": owned, "entity_id": owner, "entity_type": "u", "role_id": 1}
        self.state.add("member", member, key=f"u/{owner}", project=number)
        return number

    def add_quota(self, project: int, limit: int) -> int:
        stamp = self.stamp()
        doc = {"hard": {"storage": limit}, "used": {"storage": 0}, "creation_time": stamp, "update_time": stamp}
        return self.state.add("quota", doc, key=str(project), project=project)

    def project_by_id(self, number: int) -> dict:
        found = self.state.get("project", number)
        if found is None:
            raise missing(f"project {number} not found")
        return found

    def save_project(self, project: dict) -> None:
        self.state.put("project", project["project_id"], project)

    def full_robot_name(self, robot: dict) -> str:
        return f"{self.setting('robot_name_prefix')}{robot['name']}"


ZERO = "0001-01-01T00:00:00.000Z"


def hashed(secret: str, salt: str) -> str:
    return hashlib.sha256(f"{salt}{secret}".encode()).hexdigest()


def as_json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
