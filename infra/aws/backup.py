"""AWS Backup: the database at night, the blobs half an hour later, a copy in a second region, and test restores.

The order matters: every blob that the database knows must be in the storage's recovery point, so the database goes
first and Harbor's garbage collection runs outside of both.
"""

from collections.abc import Mapping

import pulumi
from pulumi_aws import backup, iam

from infra.aws.policies import service_trust
from infra.durable import durable
from infra.naming import Names, partition
from infra.settings import Settings

TOKEN = "slipway:aws:Backup"  # noqa: S105

#: part → when, UTC
SCHEDULES: Mapping[str, str] = {"database": "cron(0 2 * * ? *)", "storage": "cron(30 2 * * ? *)"}
WEEKLY_COPY: Mapping[str, str] = {"database": "cron(0 3 ? * SUN *)", "storage": "cron(30 3 ? * SUN *)"}
#: A restore of the blobs is billed by the gigabyte: every week it would cost more than the backup does.
RESTORE_TESTS: Mapping[str, str] = {"database": "cron(0 6 ? * MON *)", "storage": "cron(0 6 1 1/3 ? *)"}
#: AWS Backup keeps what went to cold storage for ninety days at least; it takes EFS there, neither RDS nor S3.
COLD_AFTER_DAYS, COLD_DAYS = 1, 90
POLICIES = (
    "service-role/AWSBackupServiceRolePolicyForBackup",
    "service-role/AWSBackupServiceRolePolicyForRestores",
)
S3_POLICIES = ("AWSBackupServiceRolePolicyForS3Backup", "AWSBackupServiceRolePolicyForS3Restore")


class Backup(pulumi.ComponentResource):
    """The vault of one environment with its plans. Outputs: `vault_name`, `arns` of what is backed up, by part."""

    vault_name: pulumi.Output[str]

    def __init__(
        self,
        settings: Settings,
        *,
        account_id: pulumi.Output[str],
        key_arns: Mapping[str, pulumi.Input[str]],
        arns: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Declare vault, plans and restore test.

        Args:
            settings: retention, second region and kind of storage.
            account_id: whose work the role is taken for.
            key_arns: KMS keys `storage` and, where there is a second region, `copies`.
            arns: ``database`` and ``storage`` → what is backed up.
            opts: carries the explicit providers.
        """
        super().__init__(TOKEN, "backup", None, opts)
        self._settings, self._names = settings, Names(settings.environment)
        self._child = pulumi.ResourceOptions(parent=self)
        vault = self._vault("backup", settings.region, key_arns["storage"])
        copies = self._vault("copies", settings.copy_region, key_arns["copies"]) if settings.copy_region else None
        role = self._role(account_id)
        for part, arn in arns.items():
            self._plan(part, arn, vault=vault, copies=copies, role_arn=role)
            self._restore_test(part, arn, vault=vault, role_arn=role)
        self.vault_name = vault.name
        self.register_outputs({"vaultName": self.vault_name})

    def _vault(self, part: str, region: str, key_arn: pulumi.Input[str]) -> backup.Vault:
        """Declare a vault whose recovery points nobody but an administrator of the lock deletes early."""
        vault = backup.Vault(
            part,
            name=self._names.physical(part, limit=50),
            kms_key_arn=key_arn,
            region=region,
            force_destroy=not self._settings.keep_data,
            tags=self._names.tags(part),
            opts=durable(self._settings, self),
        )
        if self._settings.keep_data:
            # Without changeable_for_days the lock is in governance mode: it can be taken away with the right to.
            backup.VaultLockConfiguration(
                part,
                backup_vault_name=vault.name,
                min_retention_days=7,
                max_retention_days=3650,
                region=region,
                opts=self._child,
            )
        return vault

    def _role(self, account_id: pulumi.Output[str]) -> pulumi.Output[str]:
        role = iam.Role(
            "backup",
            name=self._names.physical("backup", limit=64),
            assume_role_policy=account_id.apply(lambda account: service_trust("backup.amazonaws.com", account=account)),
            tags=self._names.tags("backup"),
            opts=self._child,
        )
        wanted = POLICIES + (S3_POLICIES if self._settings.storage == "s3" else ())
        attached = [
            iam.RolePolicyAttachment(
                f"backup-{policy.rpartition('/')[2]}",
                role=role.name,
                policy_arn=f"arn:{partition(self._settings.region)}:iam::aws:policy/{policy}",
                opts=self._child,
            ).id
            for policy in wanted
        ]
        return pulumi.Output.all(role.arn, *attached).apply(lambda known: known[0])

    def _plan(
        self,
        part: str,
        arn: pulumi.Input[str],
        *,
        vault: backup.Vault,
        copies: backup.Vault | None,
        role_arn: pulumi.Input[str],
    ) -> None:
        lifecycle: backup.PlanRuleLifecycleArgsDict = {"delete_after": self._settings.backup.retention_days}
        daily: backup.PlanRuleArgsDict = {
            "rule_name": "daily",
            "target_vault_name": vault.name,
            "schedule": SCHEDULES[part],
            "start_window": 60,
            "completion_window": 720,
            "lifecycle": lifecycle,
        }
        rules = [daily]
        if copies:
            kept = self._cold(lifecycle) if part == "storage" and self._settings.storage == "efs" else lifecycle
            away: backup.PlanRuleCopyActionArgsDict = {"destination_vault_arn": copies.arn, "lifecycle": kept}
            weekly = daily.copy()
            weekly.update({"rule_name": "weekly-copy", "schedule": WEEKLY_COPY[part], "copy_actions": [away]})
            rules.append(weekly)
        name = self._names.physical(part, limit=50)
        plan = backup.Plan(f"backup-{part}", name=name, rules=rules, tags=self._names.tags(part), opts=self._child)
        backup.Selection(
            f"backup-{part}",
            name=name,
            plan_id=plan.id,
            iam_role_arn=role_arn,
            # By ARN and not by tag: nobody takes the data out of the backup by removing a tag.
            resources=[arn],
            opts=self._child,
        )

    def _cold(self, lifecycle: backup.PlanRuleLifecycleArgsDict) -> backup.PlanRuleCopyActionLifecycleArgsDict:
        """Give the life of a copy that nobody reads unless a region is lost: a fifth of the price."""
        days = max(self._settings.backup.retention_days, COLD_AFTER_DAYS + COLD_DAYS)
        return {**lifecycle, "cold_storage_after": COLD_AFTER_DAYS, "delete_after": days}

    def _restore_test(
        self, part: str, arn: pulumi.Input[str], *, vault: backup.Vault, role_arn: pulumi.Input[str]
    ) -> None:
        """Declare the restore that proves a recovery point, each week or each quarter; AWS deletes what it restored."""
        # The plan of the database came first and kept its name. Letters, digits and underscores only.
        plan_name = "restore-test" if part == "database" else f"restore-test-{part}"
        name = self._names.physical("" if part == "database" else part, limit=50).replace("-", "_")
        plan = backup.RestoreTestingPlan(
            plan_name,
            name=name,
            schedule_expression=RESTORE_TESTS[part],
            start_window_hours=4,
            recovery_point_selection={
                "algorithm": "LATEST_WITHIN_WINDOW",
                "include_vaults": [vault.arn],
                "recovery_point_types": ["SNAPSHOT"],
                "selection_window_days": 7,
            },
            tags=self._names.tags(plan_name),
            opts=self._child,
        )
        kinds = {"database": "RDS", "storage": "S3" if self._settings.storage == "s3" else "EFS"}
        backup.RestoreTestingSelection(
            f"restore-test-{part}",
            name=f"{name}_{part}" if part == "database" else name,
            restore_testing_plan_name=plan.name,
            protected_resource_type=kinds[part],
            protected_resource_arns=[arn],
            iam_role_arn=role_arn,
            validation_window_hours=1,
            opts=self._child,
        )
