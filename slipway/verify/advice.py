"""Where to look when a component is ill, said once for all checks.

COMPONENTS["redis"]
"""

#: Of every Harbor; trivy besides where it is on.
EVERY_HARBOR = frozenset({"core", "database", "jobservice", "portal", "redis", "registry", "registryctl"})
COMPONENTS = {
    "core": "kubectl -n harbor logs deploy/harbor-core",
    "database": "look at the database's state and connections, and at core's log for `too many clients`",
    "jobservice": "kubectl -n harbor logs deploy/harbor-jobservice; its queue is in Redis",
    "portal": "kubectl -n harbor logs deploy/harbor-portal",
    "redis": "look at the cache's state and password: a failover needs a restart of the job service",
    "registry": "kubectl -n harbor logs deploy/harbor-registry -c registry: storage, or Redis without TLS",
    "registryctl": "kubectl -n harbor logs deploy/harbor-registry -c registryctl",
    "trivy": "kubectl -n harbor logs statefulset/harbor-trivy: its volume, its cache's lock",
}
