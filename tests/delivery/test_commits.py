"""The commit itself: whole, the same for everybody, signed with the right name."""

import pytest

from infra.delivery.publish import publish, withdraw
from tests.delivery.repositories import inputs
from values.errors import ValuesError


def shown(repository, form: str) -> str:
    return repository.git("show", "--no-patch", f"--format={form}", "main")


def test_git_finds_nothing_wrong_with_what_we_wrote(repository, remote):
    repository.write("README.md", "ours\n")
    publish(remote, inputs())
    publish(remote, inputs(overrides={"mine": "portal: {replicas: 3}"}))

    repository.git("fsck", "--strict", "--full")


def test_the_same_inputs_make_the_same_tree(repository, remote):
    publish(remote, inputs())
    tree = repository.git("rev-parse", "main^{tree}")
    repository.git("update-ref", "-d", "refs/heads/main")

    publish(remote, inputs())

    assert repository.git("rev-parse", "main^{tree}") == tree


def test_git_reads_our_trailers(repository, remote):
    source = inputs()
    publish(remote, source)

    trailers = dict(line.split(": ") for line in shown(repository, "%(trailers:only)").splitlines())
    assert trailers == {
        "Slipway-Version": trailers["Slipway-Version"],
        "Slipway-Environment": "ha",
        "Slipway-Input-Digest": source.digest(),
    }


def test_the_message_tells_writes_from_removals(repository, remote):
    publish(remote, inputs(overrides={"mine": "portal: {replicas: 3}"}))
    publish(remote, inputs())

    body = shown(repository, "%b").splitlines()
    assert "remove apps/harbor/ha/release/values/override-mine.yaml" in body
    assert "write apps/harbor/ha/release/kustomization.yaml" in body


@pytest.mark.parametrize(
    ("configured", "variable", "author"),
    [
        pytest.param("", "", "Slipway <slipway@localhost>, Slipway", id="nobody"),
        pytest.param(
            "[user]\nname = Ada\nemail = ada@example.com\n", "", "Ada <ada@example.com>, Ada", id="configured"
        ),
        pytest.param("[user]\nname = Ada\nemail = a@b.c\n", "Release Bot", "Release Bot <a@b.c>, Ada", id="variable"),
    ],
)
def test_who_the_author_is(repository, remote, home, monkeypatch, configured, variable, author):
    (home / ".gitconfig").write_text(configured)
    if variable:
        monkeypatch.setenv("GIT_AUTHOR_NAME", variable)

    publish(remote, inputs())

    assert shown(repository, "%an <%ae>, %cn") == author


def test_nothing_else_of_the_users_configuration_takes_part(remote, home):
    (home / "hooks").mkdir()
    hook = home / "hooks" / "pre-push"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    (home / ".gitconfig").write_text(
        f"[core]\nhooksPath = {home / 'hooks'}\nautocrlf = true\n[commit]\ngpgsign = true\n[push]\ngpgSign = true\n"
        "[init]\ndefaultObjectFormat = sha256\n"
    )

    assert publish(remote, inputs()).created


def test_urls_are_rewritten_as_the_user_has_it(repository, home):
    from infra.delivery.git import Remote

    (home / ".gitconfig").write_text(
        f'[url "{repository.path.parent.as_uri()}/"]\ninsteadOf = https://git.example.com/\n'
    )

    assert publish(Remote(repository="https://git.example.com/gitops.git", branch="main"), inputs()).created


def test_values_that_do_not_fit_the_chart_make_no_commit(repository, remote):
    with pytest.raises(ValuesError, match="replicsa"):
        publish(remote, inputs(overrides={"typo": "core: {replicsa: 2}"}))

    assert repository.head() == ""


def test_withdrawing_the_only_environment_leaves_an_empty_tree_and_the_history(repository, remote):
    publish(remote, inputs())

    commit = withdraw(remote, gitops_path="", environment="ha")

    assert repository.head() == commit
    assert repository.files() == []
    assert shown(repository, "%s") == "Withdraw Harbor from ha"
    assert publish(remote, inputs()).created
