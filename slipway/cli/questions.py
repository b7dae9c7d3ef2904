"""The questions of `slipway init`. Each answer is checked at once by the settings' own rules."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import questionary

from infra import tables
from infra.errors import SettingsError
from infra.stack_config import environments
from slipway.new_stack import FLAGS, settings_from

#: Good answers that stand in for those not given yet while one answer is checked.
_PLAUSIBLE = {
    "environment": "prod",
    "domain": "harbor.example.com",
    "region": "eu-central-1",
    "gitops.repository": "https://git.example.com/gitops.git",
}


def ask(given: Mapping[str, Any], root: Path) -> dict[str, Any]:
    """Ask for everything that is not given and give all answers, dotted setting names with their values.

    Raises:
        KeyboardInterrupt: the user left.
    """
    answers = dict(given)

    def text(key: str, question: str, default: str = "") -> None:
        if key not in answers:
            prompt = questionary.text(question, default=default, validate=_checker(key, answers))
            answers[key] = prompt.unsafe_ask()

    def listed(key: str, question: str) -> None:
        if key not in answers:
            check = _checker(key, answers)
            prompt = questionary.text(question, validate=lambda value: not value or check([value]))
            given = prompt.unsafe_ask()
            answers[key] = [given] if given else []

    def choice(key: str, question: str, choices: Mapping[str, str], default: str) -> None:
        if key not in answers:
            titles = [questionary.Choice(f"{value:6} {meaning}", value) for value, meaning in choices.items()]
            answers[key] = questionary.select(question, choices=titles, default=default).unsafe_ask()

    taken = ", ".join(environments(root))
    text("environment", f"Name of the environment (there are: {taken})")
    text("domain", "Host name of the registry")
    text("region", f"AWS region (zones are known for {', '.join(sorted(tables.read('zones')))})", "eu-central-1")
    choice(
        "profile",
        "Profile",
        {"dev": "cheap, one of each", "ha": "survives the loss of a zone", "large": "for a whole company"},
        "ha",
    )
    choice("storage", "Blobs", {"efs": "needs no key", "s3": "cheaper for many TiB, needs a static access key"}, "efs")
    text("gitops.repository", "Git repository that Flux reads")
    listed("cluster.adminRoleArns", "ARN of the IAM role that runs pulumi up")
    listed("cluster.publicAccessCidrs", "Network it runs in, like 203.0.113.0/24 (empty: inside the VPC)")
    if not {"dns.existingZone", "dns.delegateFrom"} & answers.keys():
        _ask_for_zone(answers, text)
    return answers


def _ask_for_zone(answers: dict[str, Any], text: Callable[[str, str, str], None]) -> None:
    parent = answers["domain"].partition(".")[2]
    owner = questionary.select(
        f"Who delegates {answers['domain']}?",
        choices=[
            questionary.Choice(f"a hosted zone of this account delegates a new zone ({parent})", "dns.delegateFrom"),
            questionary.Choice("no new zone: the record goes into a hosted zone of this account", "dns.existingZone"),
            questionary.Choice("somebody else: stop after the zone and show me the NS records", ""),
        ],
    ).unsafe_ask()
    if owner:
        text(owner, "Name of that hosted zone", parent)


def _checker(key: str, answers: Mapping[str, Any]) -> Callable[[Any], bool | str]:
    def check(value: Any) -> bool | str:  # noqa: ANN401  # as the setting takes it
        try:
            settings_from({**_PLAUSIBLE, **answers, key: value})
        except SettingsError as error:
            own = [problem.what for problem in error.problems if problem.where == FLAGS[key]]
            return own[0] if own else True
        return True

    return check
