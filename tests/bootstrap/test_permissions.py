"""What the deploy role may do: enough for every resource of the program, in documents that IAM takes, and no more."""

import json
import re
from fnmatch import fnmatchcase

import pytest

from slipway.bootstrap.permissions import ATTACHED, LONGEST, MOST, policies
from slipway.bootstrap.wanted import Wanted
from tests.graph.graphs import ENVIRONMENTS, recorded

WANTED = Wanted(account="111122223333", region="eu-central-1", administrators=("arn:aws:iam::111122223333:role/Admin",))
DOCUMENTS = {name: json.loads(text) for name, text in policies(WANTED).items()}
STATEMENTS = [statement for document in DOCUMENTS.values() for statement in document["Statement"]]
#: Where a service's actions are called otherwise than its resources' module.
SERVICES = {"efs": "elasticfilesystem"}


def actions_of(statement) -> list[str]:
    return statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]


def resources_of(statement) -> list[str]:
    return statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]


def allows(action: str, arn: str) -> bool:
    return any(
        any(fnmatchcase(action, pattern) for pattern in actions_of(one))
        and any(fnmatchcase(arn, pattern) for pattern in resources_of(one))
        for one in STATEMENTS
        if one["Effect"] == "Allow"
    )


def test_iam_takes_them():
    assert len(DOCUMENTS) <= MOST
    for name, document in DOCUMENTS.items():
        assert len(json.dumps(document, separators=(",", ":"))) <= LONGEST, name


def test_nothing_is_allowed_on_everything():
    for statement in STATEMENTS:
        assert "*" not in actions_of(statement)
        wide = [action for action in actions_of(statement) if re.fullmatch(r"[a-z0-9-]+:\*", action)]
        assert statement["Effect"] == "Deny" or wide == []


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_service_of_the_program_has_its_statements(environment):
    allowed = {action.partition(":")[0] for one in STATEMENTS if one["Effect"] == "Allow" for action in actions_of(one)}
    used = {
        node.type.split(":")[1].partition("/")[0]
        for node in recorded(environment, preview=False)
        if node.type.startswith("aws:")
    }

    assert {SERVICES.get(service, service) for service in used} <= allowed


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_policy_that_the_program_attaches_may_be_attached(environment):
    attached = {
        node.inputs["policyArn"].partition(":policy/")[2]
        for node in recorded(environment, preview=False).of_type("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    }

    assert attached <= set(ATTACHED)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize(
    ("token", "key", "action", "arn"),
    [
        ("aws:iam/role:Role", "name", "iam:CreateRole", "arn:aws:iam::111122223333:role/{}"),
        ("aws:rds/instance:Instance", "identifier", "rds:CreateDBInstance", "arn:aws:rds:eu-central-1:111122223333:db:{}"),
        ("aws:elasticache/replicationGroup:ReplicationGroup", "replicationGroupId", "elasticache:CreateReplicationGroup",
         "arn:aws:elasticache:eu-central-1:111122223333:replicationgroup:{}"),
        ("aws:eks/cluster:Cluster", "name", "eks:CreateCluster", "arn:aws:eks:eu-central-1:111122223333:cluster/{}"),
        ("aws:secretsmanager/secret:Secret", "name", "secretsmanager:CreateSecret", "arn:aws:secretsmanager:eu-central-1:111122223333:secret:{}-a1b2c3"),
        ("aws:s3/bucket:Bucket", "bucket", "s3:CreateBucket", "arn:aws:s3:::{}"),
        ("aws:backup/vault:Vault", "name", "backup:CreateBackupVault", "arn:aws:backup:eu-central-1:111122223333:backup-vault:{}"),
        ("aws:cloudwatch/logGroup:LogGroup", "name", "logs:CreateLogGroup", "arn:aws:logs:eu-central-1:111122223333:log-group:{}"),
        ("aws:cloudwatch/metricAlarm:MetricAlarm", "name", "cloudwatch:PutMetricAlarm", "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:{}"),
        ("aws:sns/topic:Topic", "name", "sns:CreateTopic", "arn:aws:sns:eu-central-1:111122223333:{}"),
        ("aws:budgets/budget:Budget", "name", "budgets:ModifyBudget", "arn:aws:budgets::111122223333:budget/{}"),
    ],
)  # fmt: skip
def test_the_names_that_the_program_gives_are_within_the_bounds(environment, token, key, action, arn):
    for node in recorded(environment, preview=False).of_type(token):
        assert allows(action, arn.format(node.inputs[key])), node.inputs[key]


def test_others_are_out_of_bounds():
    assert not allows("rds:DeleteDBInstance", "arn:aws:rds:eu-central-1:111122223333:db:payroll")
    assert not allows("iam:CreateRole", "arn:aws:iam::111122223333:role/admin")
    assert not allows(
        "secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-central-1:111122223333:secret:payroll/db-a1b2c3"
    )
