"""Every random source of the chart, and the values that remove it: with one left, two renders are not the same.

list(unpinned(release.values))  # findings, each with the key to set
"""

from collections.abc import Iterator, Mapping
from typing import Any

from values.errors import Finding

WHERE = "rendered manifests"

#: What the chart makes at random → keys of which one group must be set. The chart's templates of 1.18 and 1.19.
_PINS: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...] = (
    ("the administrator's password", (("existingSecretAdminPassword",),)),
    ("core's secret", (("core.existingSecret",), ("core.secret",))),
    ("the key that signs tokens", (("core.secretName",), ("core.tokenKey", "core.tokenCert"))),
    ("the XSRF key", (("core.existingXsrfSecret",), ("core.xsrfKey",))),
    ("jobservice's secret", (("jobservice.existingSecret",), ("jobservice.secret",))),
    ("the registry's HTTP secret", (("registry.existingSecret",), ("registry.secret",))),
    (
        "the registry's htpasswd, salted anew each time",
        (("registry.credentials.existingSecret",), ("registry.credentials.htpasswdString",)),
    ),
)


def unpinned(values: Mapping[str, Any]) -> Iterator[Finding]:
    """Give every random source that the values leave open.

    Args:
        values: as the chart gets them, merged; what they leave out is the chart's default.
    """
    for what, groups in _PINS:
        if not any(all(_at(values, key) for key in keys) for keys in groups):
            named = " or ".join(" with ".join(keys) for keys in groups)
            yield _finding(groups[0][0], f"the chart makes {what}", f"set {named}")
    if _at(values, "expose.tls.enabled", default=True) and _at(values, "expose.tls.certSource", "auto") == "auto":
        yield _finding("expose.tls.certSource", "the chart makes a certificate", "set secret or none")
    if _at(values, "internalTLS.enabled") and _at(values, "internalTLS.certSource", "auto") == "auto":
        yield _finding("internalTLS.certSource", "the chart makes certificates", "set secret")
    if _at(values, "database.type", "internal") != "external":
        yield _finding("database.type", "the chart looks the password up in the cluster", "use an external database")
    if _at(values, "redis.external.existingSecret"):
        yield _finding(
            "redis.external.existingSecret",
            "the chart looks the password up in the cluster, and writes an empty one where there is none",
            "leave it empty",
        )


def _finding(key: str, fact: str, fix: str) -> Finding:
    return Finding(path=WHERE, key=key, message=f"is not pinned: {fact}, at each rendering another", suggestion=fix)


def _at(values: Mapping[str, Any], key: str, default: Any = None) -> Any:  # noqa: ANN401  # any YAML value
    node: Any = values
    for part in key.split("."):
        if not isinstance(node, Mapping) or part not in node:
            return default
        node = node[part]
    return node
