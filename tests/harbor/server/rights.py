"""Who may do what, as data: the rights that a robot can be given, those of a project's roles, and of everybody."""


def _pairs(text: str) -> frozenset[tuple[str, str]]:
    """Read `resource: action action` lines."""
    lines = (line.split(":") for line in text.strip().splitlines())
    return frozenset((resource.strip(), action) for resource, actions in lines for action in actions.split())


#: What a robot can be given on the system. No configuration, and robots may not be changed.
SYSTEM = _pairs("""
    audit-log: list
    preheat-instance: read create delete list update
    project: list create
    replication-policy: read create delete list update
    replication: read create list
    replication-adapter: list
    registry: read create delete list update
    scan-all: read update stop create
    system-volumes: read
    garbage-collection: read create list update stop
    purge-audit: read create list update stop
    jobservice-monitor: list stop
    scanner: read create delete list update
    label: read create delete update
    security-hub: read list
    catalog: read
    quota: read list update
    robot: create read list delete
    user: create read update list delete
    ldap-user: create list
    user-group: create read update list delete
""")

#: What a robot can be given in projects.
PROJECT = _pairs("""
    log: list
    project: read delete update
    metadata: read create delete list update
    repository: read update delete list pull push
    artifact: read create list delete
    scan: create read stop
    sbom: create stop read
    tag: create list delete
    accessory: list
    artifact-addition: read
    artifact-label: create delete
    scanner: create read
    preheat-policy: read create delete list update
    immutable-tag: create delete list update
    notification-policy: read create delete list update
    tag-retention: read create delete list update
    label: read create delete list update
    quota: read
    robot: create read list delete
    export-cve: create read
    member: create read update list delete
""")

_GUEST = _pairs("""
    project: read
    member: read list
    label: read list
    quota: read
    repository: read list pull
    configuration: read
    robot: read list
    scan: read
    sbom: read
    scanner: read
    tag: list
    accessory: list
    artifact: read list
    artifact-addition: read
""")
_DEVELOPER = _GUEST | _pairs("""
    repository: create update push
    tag-retention: create read update delete list operate
    artifact: create
    tag: create
    artifact-label: create delete
""")
_MAINTAINER = _DEVELOPER | _pairs("""
    metadata: read
    label: create update delete
    repository: delete
    immutable-tag: create update delete list
    notification-policy: read list
    scan: create stop
    sbom: create stop
    artifact: delete
    tag: delete
""")

#: By role id; any other id gives no right at all.
ROLES = {
    1: (PROJECT | _MAINTAINER | _pairs("configuration: update\nrobot: update")) - _pairs("metadata: list"),
    2: _DEVELOPER,
    3: _GUEST,
    4: _MAINTAINER,
    5: _GUEST - _pairs("member: read list\nlabel: read list\nrobot: read list"),
}
ROLE_NAMES = {1: "projectAdmin", 2: "developer", 3: "guest", 4: "maintainer", 5: "limitedGuest"}

#: What anybody may do in a public project, without a login as well.
PUBLIC = _pairs("""
    project: read
    label: read list
    repository: list pull
    scan: read
    scanner: read
    tag: list
    accessory: list
    artifact: read list
    artifact-addition: read
""")
