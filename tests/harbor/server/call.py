"""One request on its way through an operation: who, what, and the helpers that every operation needs.

project = call.project("read", "member")     # 401, 403 or 404 where Harbor says so
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.harbor.server.answers import Answer, Refused, forbidden, missing, unauthorized, unprocessable
from tests.harbor.server.query import Paging, conditions, keywords, order, paging
from tests.harbor.server.shape import check
from tests.harbor.server.who import Who

if TYPE_CHECKING:
    from tests.harbor.server.harbor import Harbor


@dataclass
class Call:
    """The request. `body` is the parsed JSON, or None where there was none."""

    harbor: "Harbor"
    who: Who
    path: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: object = None
    by_session: bool = False

    def shaped(self, shape: dict) -> dict:
        """Give the body after its types were checked."""
        if self.body is None:
            raise unprocessable("body in body is required")
        check(self.body, shape)
        return self.body

    def number(self, name: str) -> int:
        try:
            return int(self.parameters[name])
        except ValueError:
            raise unprocessable(f'{name} in path must be of type int64: "{self.parameters[name]}"') from None

    def require_login(self) -> None:
        if not self.who.authenticated:
            raise unauthorized()

    def system(self, action: str, resource: str) -> None:
        """Refuse senders without a right on the system."""
        self.require_login()
        if not self.who.may(action, resource):
            raise forbidden(self.who.name)

    def project(self, action: str, resource: str, *, name: str = "") -> dict:
        """Give the project that the path names, to a sender with that right in it."""
        given = self.parameters.get("project_name_or_id", "")
        by_name = bool(name) or self.headers.get("X-Is-Resource-Name", "").lower() == "true" or not given.isdigit()
        state = self.harbor.state
        found = state.find("project", name or given) if by_name else state.get("project", int(given))
        return self.allowed(found, action, resource, f"project {name or given} not found")

    def allowed(self, project: dict | None, action: str, resource: str, absent: str = "project not found") -> dict:
        if project is None:
            raise missing(absent) if self.who.admin else self.no()
        if not self.who.may(action, resource, project):
            raise self.no()
        return project

    def no(self) -> Refused:
        return forbidden() if self.who.authenticated else unauthorized()

    def created(self, number: object) -> Answer:
        return Answer(status=201, headers={"Location": f"{self.path.rstrip('/')}/{number}"})

    def listed(
        self,
        kind: str,
        *,
        project: int | None = None,
        columns: Mapping[str, str] | None = None,
        extra: tuple[str, list] = ("1", []),
        show=lambda doc: doc,
    ) -> Answer:
        """Answer a page of documents with its headers; `columns` are the keys that may filter and sort."""
        where, values = conditions(keywords(self.query), columns or {})
        page = paging(self.query)
        total, rows = self.harbor.state.page(
            kind,
            project=project,
            where=f"{where} AND {extra[0]}",
            values=[*values, *extra[1]],
            order=order(self.query, columns or {}),
            limit=page.limit,
            offset=page.offset,
        )
        return self.paged(total, page, [show(row) for row in rows])

    def paged(self, total: int, page: Paging, rows: list) -> Answer:
        headers = {"X-Total-Count": str(total)}
        if page.size and (links := self._links(total, page)):
            headers["Link"] = links
        return Answer(body=rows, headers=headers)

    def _links(self, total: int, page: Paging) -> str:
        links = []
        if page.page > 1 and (page.page - 1) * page.size < total:
            links.append(self._link(page.page - 1, page.size, "prev"))
        if page.page * page.size < total:
            links.append(self._link(page.page + 1, page.size, "next"))
        return " , ".join(links)

    def _link(self, page: int, size: int, relation: str) -> str:
        query = "&".join(
            f"{key}={value}" for key, value in sorted({**self.query, "page": page, "page_size": size}.items())
        )
        return f'<{self.path}?{query}>; rel="{relation}"'
