"""Logins: passwords and what a wrong one costs, sessions with their CSRF token, robots by Basic auth.

who = await sessions.who(request)
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import secrets
import time

from tests.harbor.server.answers import Answer, forbidden, unauthorized
from tests.harbor.server.harbor import Harbor, hashed
from tests.harbor.server.who import NOBODY, Who

CSRF_COOKIE = "_gorilla_csrf"
CSRF_HEADER = "X-Harbor-CSRF-Token"
_CSRF_KEY = b"pinned by the chart, so it survives a restart"


class Sessions:
    """Who logged in. Sessions survive a restart, as in Redis; `strays` are those that nobody logged in to."""

    def __init__(self, harbor: Harbor) -> None:
        self._harbor = harbor
        self._locked: dict[str, float] = {}
        self.strays: set[str] = set()
        self.users: dict[str, int] = {}
        self.load()

    def load(self) -> None:
        self.users = {each["sid"]: each["user_id"] for each in self._harbor.state.all("session")}

    def end_all(self) -> None:
        for each in self._harbor.state.all("session"):
            self._harbor.state.delete("session", each["id"])
        self.users, self.strays = {}, set()

    async def who(self, authorization: str, sid: str | None) -> tuple[Who, str]:
        """Give the sender and how it was known: as in Harbor, a good password wins over a session, a bad one loses."""
        name, password = _basic(authorization)
        if name is not None:
            prefix = str(self._harbor.setting("robot_name_prefix"))
            if prefix and name.startswith(prefix):
                if robot := self._robot(name[len(prefix) :], password):
                    return robot, "robot_by_password"
            elif (user := await self.login(name, password)) is not None:
                return self.user(user), "user_by_password"
        if sid in self.users and (user := self._harbor.state.get("user", self.users[sid])):
            return self.user(user), "session"
        return NOBODY, ""

    @staticmethod
    def named(authorization: str) -> str | None:
        """Give whose name and secret are in a header; None where there are none."""
        return _basic(authorization)[0]

    def user(self, user: dict) -> Who:
        roles: dict[int, list[int]] = {}
        if not user["sysadmin_flag"]:
            _, rows = self._harbor.state.page("member", where="key = ?", values=[f"u/{user['user_id']}"])
            for row in rows:
                roles.setdefault(row["project_id"], []).append(row["role_id"])
        return Who(name=user["username"], user_id=user["user_id"], admin=user["sysadmin_flag"], roles=roles)

    async def login(self, name: str, password: str) -> dict | None:
        """Give the user of a password. A wrong one takes its time, and locks the user for everybody meanwhile."""
        if name in self._harbor.switches.locked or self._locked.get(name, 0) > time.monotonic():
            return None
        user = self._harbor.state.find("user", name)
        if user and hmac.compare_digest(user["hash"], hashed(password, user["salt"])):
            return user
        seconds = self._harbor.switches.lock_seconds
        self._locked[name] = time.monotonic() + seconds
        await asyncio.sleep(seconds)
        return None

    def _robot(self, name: str, secret: str) -> Who | None:
        project, _, _ = name.rpartition("+")
        scope = 0
        if project:
            owner = self._harbor.state.find("project", project)
            scope = owner["project_id"] if owner else -1
        robot = self._harbor.state.find("robot", name, project=scope)
        if robot is None or robot["disable"] or not hmac.compare_digest(robot["hash"], hashed(secret, robot["salt"])):
            return None
        if robot["expires_at"] != -1 and robot["expires_at"] <= self._harbor.now().timestamp():
            return None
        return Who(name=self._harbor.full_robot_name(robot), robot=robot)

    # --- pages outside the API

    async def sign_in(self, form: dict[str, str], sid: str | None) -> Answer:
        name, password = form.get("principal", ""), form.get("password", "")
        user = await self.login(name, password)
        if user is None:
            raise unauthorized()
        self.strays.discard(sid or "")
        fresh = secrets.token_hex(16)
        self.users[fresh] = user["user_id"]
        self._harbor.state.add("session", {"sid": fresh, "user_id": user["user_id"]}, key=fresh)
        return Answer(headers={"Set-Cookie": cookie("sid", fresh)})

    def sign_out(self, sid: str | None) -> Answer:
        if self.users.pop(sid or "", None) is not None:
            self._harbor.state.delete("session", self._harbor.state.find("session", sid)["id"])
        return Answer()

    # --- CSRF

    def check_token(self, cookie_value: str | None, token: str | None) -> None:
        if not token:
            raise forbidden("CSRF token not found in request")
        if not cookie_value or not hmac.compare_digest(_token(cookie_value), token.partition(".")[0]):
            raise forbidden("CSRF token invalid")

    def cookies(self, sid: str | None, csrf: str | None, *, api: bool) -> list[tuple[str, str]]:
        """Give what an answer sets: a session for those without a known one, a CSRF token for those with a cookie."""
        set_now = []
        if sid not in self.users and sid not in self.strays:
            fresh = secrets.token_hex(16)
            self.strays.add(fresh)
            set_now.append(("Set-Cookie", cookie("sid", fresh)))
        if sid is None and api:
            return set_now
        if csrf is None:
            csrf = secrets.token_urlsafe(24)
            set_now.append(("Set-Cookie", cookie(CSRF_COOKIE, csrf)))
        # Masked anew in every answer; all of them count.
        set_now.append((CSRF_HEADER, f"{_token(csrf)}.{secrets.token_hex(4)}"))
        return set_now


def cookie(name: str, value: str) -> str:
    return f"{name}={value}; Path=/; HttpOnly; SameSite={'Strict' if name == CSRF_COOKIE else 'Lax'}"


def _token(cookie_value: str) -> str:
    return hmac.new(_CSRF_KEY, cookie_value.encode(), hashlib.sha256).hexdigest()


def _basic(authorization: str) -> tuple[str | None, str]:
    kind, _, packed = authorization.partition(" ")
    if kind.lower() != "basic":
        return None, ""
    try:
        name, _, password = base64.b64decode(packed, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None, ""
    return name, password
