"""Facts from AWS's answers: the pure function behind the one apply."""

import pytest
from pydantic import ValidationError

from infra.assemble import assemble, example
from infra.settings import Settings
from values.facts import Facts

ANSWERS = {
    "account_id": "111122223333",
    "vpc_id": "vpc-1",
    "vpc_cidr": "10.0.0.0/16",
    "hosted_zone_id": "Z1",
    "certificate_arn": "arn:aws:acm:eu-central-1:111122223333:certificate/1",
    "database_host": "db.example.com",
    "database_admin_secret": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:rds!db-1-AbCdEf",
    "cache_host": "cache.example.com",
    "cluster_name": "harbor-prod",
    "storage": {"type": "efs", "fileSystemId": "fs-1", "registryAccessPointId": "fsap-1"},
}


def settings(**more) -> Settings:
    values = {
        "domain": "harbor.example.com",
        "region": "eu-central-1",
        "gitops": {"repository": "https://git.example.com/gitops.git", "path": "registries"},
    }
    return Settings.parse("prod", {**values, **more})


def test_facts_are_the_settings_and_the_answers():
    facts = assemble(settings(), ANSWERS)

    assert facts.environment == "prod"
    assert facts.gitops_path == "registries"
    assert facts.secrets_prefix == "harbor/prod"
    assert facts.aws is not None
    assert facts.aws.zones == ("eu-central-1a", "eu-central-1b", "eu-central-1c")
    assert facts.database is not None
    # db.m7g.large: 8 GiB, nine tenths of it for PostgreSQL, over 9531392 bytes a connection.
    assert (facts.database.host, facts.database.port, facts.database.max_connections) == ("db.example.com", 5432, 811)
    assert not facts.example


def test_facts_survive_the_way_through_json_with_whole_numbers():
    facts = assemble(settings(), ANSWERS)

    assert '"port": 5432' in facts.to_json()
    assert Facts.from_json(facts.to_json()) == facts


def test_an_answer_that_is_no_fact_is_refused():
    with pytest.raises(ValidationError, match=r"database\.host"):
        assemble(settings(), {**ANSWERS, "database_host": None})


@pytest.mark.parametrize("storage", ["efs", "s3"])
def test_example_facts_have_the_shape_of_real_ones_and_say_what_they_are(storage):
    facts = example(settings(storage=storage))

    assert facts.example
    assert facts.storage.type == storage
    assert facts.host == "harbor.example.com"


def test_sign_in_by_oidc_reaches_the_facts_without_a_secret():
    oidc = {"name": "Example", "endpoint": "https://login.example.com", "clientId": "harbor"}

    facts = assemble(settings(signIn={"mode": "oidc", "oidc": oidc}), ANSWERS)

    assert facts.sign_in.model_dump() == {
        "mode": "oidc",
        "oidc_name": "Example",
        "oidc_endpoint": "https://login.example.com",
        "oidc_client_id": "harbor",
    }
