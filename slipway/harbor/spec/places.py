"""Where each part of the specification stands, when it comes from several files.

places.place(("projects", "payments", "storage_quota"))    # "harbor/teams.yaml:12 projects.payments.storage_quota"
"""

from dataclasses import dataclass, field

from infra.yaml_file import Document, Location


@dataclass(frozen=True)
class Places:
    """Location in the whole → file and location in it, for the roots of what each file brought."""

    roots: dict[Location, tuple[Document, Location]] = field(default_factory=dict)

    def add(self, location: Location, document: Document, own: Location) -> None:
        """Note who brought a part."""
        self.roots[location] = (document, own)

    def place(self, location: Location) -> str:
        """Name file, line and key; those of the nearest parent where nobody wrote it."""
        for end in range(len(location), -1, -1):
            if location[:end] in self.roots:
                document, own = self.roots[location[:end]]
                return document.place((*own, *location[end:]))
        return ".".join(map(str, location))
