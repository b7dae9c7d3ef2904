"""The pure parts: names, sizes, waves, rules."""

import json

import pytest

from infra.errors import MigrationError
from slipway.harbor.migrate.model import Move, Repository, Target
from slipway.harbor.migrate.names import Naming, chosen, renames_of, targets
from slipway.harbor.migrate.rules import with_rules
from slipway.harbor.migrate.units import Limit, bandwidth, duration, size, wave_size
from slipway.harbor.migrate.waves import in_waves
from tests.harbor.server.copying import _matches, _replaced, _specific

GIB = 1 << 30


def said(act, *arguments, **named):
    with pytest.raises(MigrationError) as caught:
        act(*arguments, **named)
    return [str(problem) for problem in caught.value.problems]


# --- units


@pytest.mark.parametrize(
    ("text", "value"),
    [("100MiB/s", 100 << 20), ("80 MB/s", 80_000_000), ("1Gbit/s", 125_000_000), ("1.5KiB/s", 1536)],
)
def test_bandwidths(text, value):
    assert bandwidth(text) == value


@pytest.mark.parametrize("text", ["100", "100MiB", "100Mi/s", "0MiB/s", "fast", "-1MiB/s", "100mib/s", "1 bit/s"])
def test_what_is_no_bandwidth_is_told_with_the_ways_to_write_one(text):
    (problem,) = said(bandwidth, text)
    assert repr(text) in problem
    assert "100MiB/s" in problem


@pytest.mark.parametrize(
    ("text", "limit"),
    [("500GiB", Limit(bytes=500 * GIB)), ("20", Limit(repositories=20)), ("20 repos", Limit(repositories=20))],
)
def test_sizes_of_waves(text, limit):
    assert wave_size(text) == limit


@pytest.mark.parametrize("text", ["0", "0GiB", "500Gi", "500GiB/s", "many", ""])
def test_what_is_no_size_of_a_wave(text):
    assert "--wave-size" in said(wave_size, text)[0]


def test_figures_for_people():
    assert [size(0), size(1536), size(3 * GIB)] == ["0 B", "1.5 KiB", "3.0 GiB"]
    assert [duration(0), duration(0.5), duration(5), duration(100)] == ["< 1 min", "30 min", "5.0 h", "4.2 days"]


# --- names


def test_names_stay_or_get_the_default_project_or_another_one():
    naming = Naming(default_project="base", renames={"legacy": "platform"})

    found = targets(["nginx", "team/app", "team/web/api", "legacy/db"], naming)

    assert {name: target.name for name, target in found.items()} == {
        "nginx": "base/nginx",
        "team/app": "team/app",
        "team/web/api": "team/web/api",
        "legacy/db": "platform/db",
    }


def test_every_name_that_cannot_be_is_told_at_once():
    long = f"team/{'a' * 251}"  # 256 characters: ECR takes it
    problems = said(targets, ["nginx", "redis", "a__b/app", "team/A", long], Naming())

    assert len(problems) == 4
    assert [
        part for part in ("a__b/app", "team/A", "team/aaa", "nginx, redis") if any(part in each for each in problems)
    ]
    assert any("--default-project" in each for each in problems)
    assert any("256 characters" in each for each in problems)


def test_two_names_that_would_become_one():
    (problem,) = said(targets, ["app", "base/app"], Naming(default_project="base"))
    assert "app, base/app: would all become base/app" in problem


def test_options_that_name_no_project():
    problems = said(targets, ["nginx", "team/x"], Naming(default_project="Base", renames={"teem": "b b"}))
    assert ["'Base'" in problems[0], "'b b'" in problems[1], "did you mean 'team'?" in problems[2]] == [True] * 3


def test_renames_are_read():
    assert renames_of(["a=b", "c=d"]) == {"a": "b", "c": "d"}
    assert len(said(renames_of, ["a", "=b", "c=d", "c=e"])) == 3


def test_patterns_choose_and_one_that_fits_nothing_is_a_slip():
    names = ["team/app", "team/web/api", "other/app"]
    assert chosen(names, ["team/*"], ["*/api"]) == ["team/app"]
    assert (
        "no repository is named like 'teem/app'; did you mean 'team/app'?" in said(chosen, names, ["teem/app"], [])[0]
    )
    assert "excludes every repository" in said(chosen, names, [], ["*"])[0]


# --- waves


def move(name, gib, **more):
    project, _, repository = name.partition("/")
    source = Repository(name=name, bytes=gib * GIB, references={"v1": f"sha256:{name}"})
    return Move(source=source, target=Target(project=project, repository=repository, **more))


def names_of(waves):
    return [[each.source.name for each in wave.moves] for wave in waves]


def test_small_projects_go_first_and_stay_together():
    moves = [move("big/a", 60), move("small/a", 1), move("small/b", 2), move("middle/a", 30), move("middle/b", 30)]

    waves, warnings = in_waves(moves, Limit(bytes=70 * GIB))

    assert names_of(waves) == [["small/a", "small/b", "big/a"], ["middle/a", "middle/b"]]
    assert [wave.number for wave in waves] == [1, 2]
    assert not warnings


def test_what_is_critical_has_waves_of_its_own_before_all_others():
    moves = [move("small/a", 1), move("pay/a", 50)]
    assert names_of(in_waves(moves, Limit(bytes=100 * GIB), first=["pay/*"])[0]) == [["pay/a"], ["small/a"]]


def test_a_project_larger_than_a_wave_is_split_and_a_repository_larger_than_one_has_its_own():
    moves = [move("big/a", 5), move("big/b", 6), move("big/huge", 99), move("small/a", 1)]

    waves, warnings = in_waves(moves, Limit(bytes=10 * GIB))

    assert names_of(waves) == [["small/a", "big/a"], ["big/b"], ["big/huge"]]
    assert [("is split" in each, "has its own" in each) for each in warnings] == [(True, False), (False, True)]


def test_a_wave_of_so_many_repositories():
    moves = [move(f"p{number}/a", 1) for number in range(5)]
    assert [len(each) for each in names_of(in_waves(moves, Limit(repositories=2))[0])] == [2, 2, 1]


# --- rules


def test_rules_name_every_repository_and_nothing_else_and_fit_into_harbors_column():
    moves = [move(f"team/repository-{number:03}-of-the-team", 1) for number in range(200)]
    moves += [move("team/deep/a", 1), move("team/deep/b", 1), move("other/x", 1), move("teams/deep-a", 1)]
    moves += [move("nginx", 1, namespace="base"), move("old/db", 1, namespace="new", count=1)]
    (wave,) = with_rules(in_waves(moves, Limit(bytes=999 * GIB))[0])
    every = [each.source.name for each in moves]

    named = [name for rule in wave.rules for name in every if _matches(rule.pattern, name)]

    assert sorted(named) == sorted(every)
    assert all(len(json.dumps([{"type": "name", "value": rule.pattern}])) <= 1024 for rule in wave.rules)
    assert len({rule.name for rule in wave.rules}) == len(wave.rules)
    assert sum(rule.artifacts for rule in wave.rules) == len(every)
    # Harbor asks for these repositories by name, instead of for a catalogue, if each part can be spelled out.
    assert all(_specific(part) for rule in wave.rules for part in rule.pattern.split("/"))


def test_rules_give_the_names_that_the_plan_says():
    moves = [move("nginx", 1, namespace="base"), move("old/sub/db", 1, namespace="new", count=1), move("team/app", 1)]
    (wave,) = with_rules(in_waves(moves, Limit(repositories=9))[0])

    got = {
        each.source.name: _replaced(
            each.source.name, {"dest_namespace": rule.namespace, "dest_namespace_replace_count": rule.count}
        )
        for rule in wave.rules
        for each in moves
        if _matches(rule.pattern, each.source.name)
    }

    assert got == {"nginx": "base/nginx", "old/sub/db": "new/sub/db", "team/app": "team/app"}


def test_rules_whose_names_would_be_the_same_are_told_apart():
    (wave,) = with_rules(in_waves([move("a/b-c/x", 1), move("a-b/c/x", 1)], Limit(repositories=9))[0])
    assert [rule.name for rule in wave.rules] == ["migrate-w01-a-b-c", "migrate-w01-a-b-c-2"]
