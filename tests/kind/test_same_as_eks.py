"""kind and EKS have the same values but where they must differ: tests/kind/differences.yaml is the reviewed list."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import yaml

from infra.delivery.inputs import Inputs
from slipway.kind.place import Place
from tests.kind.conftest import ROOT
from tests.values.conftest import exposed, facts_of
from values.merge import harbor_values

LISTED = yaml.safe_load(Path(__file__).with_name("differences.yaml").read_text())
ALL = {**LISTED["always"], **LISTED["several"]}


def rendered(facts) -> dict[str, str]:
    """Files by their path without the environment's name."""
    name = facts.environment
    files = Inputs(facts.to_json()).files()
    return {
        path.replace(f"/{name}/", "/ENV/").replace(f"/{name}.yaml", "/ENV.yaml"): text for path, text in files.items()
    }


def keys(facts) -> dict[str, object]:
    """Leaves of the values that Harbor's chart gets, by their dotted key."""

    def leaves(node, key="") -> Iterator[tuple[str, object]]:
        if isinstance(node, dict) and node:
            for name, value in node.items():
                yield from leaves(value, f"{key}.{name}" if key else str(name))
        else:
            yield key, node

    return dict(leaves(harbor_values(Inputs(facts.to_json()).files())))


def differing(one, other) -> set[str]:
    ours, theirs = keys(one), keys(other)
    return {key for key in ours.keys() | theirs.keys() if ours.get(key, "-") != theirs.get(key, "-")}


def unlisted(found, patterns) -> set[str]:
    return {key for key in found if not any(fnmatchcase(key, pattern) for pattern in patterns)}


KIND = Place(name="laptop").facts()


def test_nothing_else_differs_from_dev():
    assert unlisted(differing(KIND, facts_of("dev")), LISTED["always"]) == set()


@pytest.mark.parametrize("profile", ["ha", "large"])
def test_nothing_else_differs_from_what_runs_several_of_each(profile):
    assert unlisted(differing(KIND, facts_of(profile)), ALL) == set()


def test_every_line_of_the_list_is_needed():
    found = {key for profile in ("dev", "ha", "large") for key in differing(KIND, facts_of(profile))}
    unused = [pattern for pattern in ALL if not any(fnmatchcase(key, pattern) for key in found)]
    from_dev = differing(KIND, facts_of("dev"))
    unneeded = [pattern for pattern in LISTED["always"] if not any(fnmatchcase(key, pattern) for key in from_dev)]
    assert (unused, unneeded) == ([], [])


def test_with_an_ingress_controller_on_both_sides_the_way_in_is_the_same_but_for_the_name():
    ours = Place(name="laptop", expose="ingress", host_port=443, host="registry.localhost").facts()
    theirs = facts_of("dev", **exposed("nginx"))

    found = {key for key in differing(ours, theirs) if key.startswith(("expose.", "externalURL"))}

    assert found == {"externalURL", "expose.ingress.hosts.core"}


def test_kind_has_no_file_that_eks_has_not_and_the_missing_ones_are_listed():
    ours, theirs = rendered(KIND), rendered(facts_of("dev"))

    assert ours.keys() - theirs.keys() == set()
    missing = {path.removeprefix("apps/harbor/ENV/") for path in theirs.keys() - ours.keys()}
    assert unlisted(missing, LISTED["files"]) == set()
    assert all(any(fnmatchcase(path, pattern) for path in missing) for pattern in LISTED["files"])


def test_both_are_checked_by_the_same_contract():
    from values.errors import ValuesError

    override = {"mine": "core: {replica: 1}"}
    said = []
    for facts in (KIND, facts_of("dev")):
        with pytest.raises(ValuesError) as error:
            Inputs(facts.model_copy(update={"example": False}).to_json(), override).files()
        said.append(str(error.value).replace(facts.environment, "ENV"))

    assert said[0] == said[1]
    assert "replicas" in said[0]


def test_the_guide_shows_the_list():
    guide = (ROOT / "docs" / "kind.md").read_text()

    rows = [f"| `{key}` | {why} |" for part in ("always", "several", "files") for key, why in LISTED[part].items()]
    assert [row for row in rows if row not in guide] == []
