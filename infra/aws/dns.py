"""Hosted zone, its delegation, CAA, query log, health check, and the ACM certificate of the registry's name."""

from collections.abc import Mapping, Sequence

import pulumi
from pulumi_aws import acm, cloudwatch, route53

from infra.aws.delegation import Delegation
from infra.aws.logs import log_group
from infra.aws.policies import allow, policy_document
from infra.durable import durable
from infra.naming import Names, dns_region
from infra.settings import Settings

TOKEN = "slipway:aws:Dns"  # noqa: S105


class Dns(pulumi.ComponentResource):
    """Where the registry's name lives, and the certificate for it.

    Outputs:
        zone_id: the hosted zone that external-dns writes the registry's record into.
        name_servers: of a new zone; empty for an existing one.
        certificate_arn: a certificate that is validated, not only requested.
        health_check_id: of the call from outside; None where it is off.
        gate: the pending delegation that everything which costs money waits for; empty when the parent is ours.
    """

    zone_id: pulumi.Output[str]
    name_servers: pulumi.Output[Sequence[str]]
    certificate_arn: pulumi.Output[str]
    health_check_id: pulumi.Output[str] | None
    gate: Sequence[pulumi.Resource]

    def __init__(
        self,
        settings: Settings,
        *,
        account_id: pulumi.Output[str],
        key_arns: Mapping[str, pulumi.Input[str]],
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__(TOKEN, "dns", None, opts)
        self._names = Names(settings.environment)
        self._child = pulumi.ResourceOptions(parent=self)
        self.gate = ()
        if settings.dns.existing_zone:
            self.zone_id = self._zone_id_of(settings.dns.existing_zone)
            self.name_servers = pulumi.Output.from_input([])
            delegated: Sequence[pulumi.Resource] = ()
        else:
            delegated = self._new_zone(settings)
        if settings.query_log:
            self._query_log(settings, account_id, key_arns["dns"])
        self.certificate_arn = self._certificate(settings, delegated)
        self.health_check_id = self._health_check(settings) if settings.health_check else None
        self.register_outputs({"zoneId": self.zone_id, "nameServers": self.name_servers})

    def _zone_id_of(self, zone: str) -> pulumi.Output[str]:
        return route53.get_zone_output(name=zone, opts=pulumi.InvokeOptions(parent=self)).zone_id

    def _new_zone(self, settings: Settings) -> Sequence[pulumi.Resource]:
        """Declare the zone and whatever makes the world find it; gives what must succeed before ACM can validate."""
        zone = route53.Zone(
            "zone",
            name=settings.domain,
            comment=f"Harbor {settings.environment}",
            tags=self._names.tags("zone"),
            opts=durable(settings, self),
        )
        self.zone_id, self.name_servers = zone.zone_id, zone.name_servers
        if settings.dns.delegate_from:
            delegation: pulumi.Resource = route53.Record(
                "delegation",
                zone_id=self._zone_id_of(settings.dns.delegate_from),
                name=settings.domain,
                type="NS",
                ttl=300,
                records=zone.name_servers,
                opts=self._child,
            )
        else:
            delegation = Delegation(
                "delegation", domain=settings.domain, name_servers=zone.name_servers, opts=self._child
            )
            self.gate = (delegation,)
        return (delegation,)

    def _query_log(self, settings: Settings, account_id: pulumi.Output[str], key_arn: pulumi.Input[str]) -> None:
        """Declare the log of the zone's queries; Route53 writes it in one region of each partition only."""
        region = dns_region(settings.region)
        logs = log_group(
            "query-log",
            name=f"/aws/route53/{settings.domain}",
            settings=settings,
            key_arn=key_arn,
            parent=self,
            region=region,
        )
        policy = cloudwatch.LogResourcePolicy(
            "query-log",
            policy_name=self._names.physical("query-log"),
            policy_document=pulumi.Output.all(logs.arn, account_id).apply(lambda known: query_log_policy(*known)),
            region=region,
            opts=self._child,
        )
        route53.QueryLog(
            "query-log",
            zone_id=self.zone_id,
            cloudwatch_log_group_arn=logs.arn,
            opts=pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(depends_on=[policy])),
        )

    def _health_check(self, settings: Settings) -> pulumi.Output[str]:
        return route53.HealthCheck(
            "registry",
            type="HTTPS",
            fqdn=settings.domain,
            port=443,
            resource_path="/api/v2.0/ping",
            request_interval=30,
            failure_threshold=3,
            measure_latency=True,
            tags=self._names.tags("registry"),
            opts=self._child,
        ).id

    def _certificate(self, settings: Settings, delegated: Sequence[pulumi.Resource]) -> pulumi.Output[str]:
        caa = route53.Record(
            "caa",
            zone_id=self.zone_id,
            name=settings.domain,
            type="CAA",
            ttl=300,
            records=['0 issue "amazon.com"'],
            opts=self._child,
        )
        # ACM reads CAA when it issues: the record comes first.
        certificate = acm.Certificate(
            "certificate",
            domain_name=settings.domain,
            validation_method="DNS",
            tags=self._names.tags("certificate"),
            opts=pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(depends_on=[caa])),
        )
        proof = certificate.domain_validation_options[0]
        record = route53.Record(
            "certificate-validation",
            zone_id=self.zone_id,
            name=proof.resource_record_name,
            type=proof.resource_record_type,
            ttl=60,
            records=[proof.resource_record_value],
            allow_overwrite=True,  # the same domain in two certificates shares one record
            opts=self._child,
        )
        validated = acm.CertificateValidation(
            "certificate",
            certificate_arn=certificate.arn,
            validation_record_fqdns=[record.fqdn],
            opts=pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(depends_on=list(delegated))),
        )
        return validated.certificate_arn


def query_log_policy(log_group_arn: str, account: str) -> str:
    """Give the policy by which Route53 writes into one log group, for this account's zones only."""
    return policy_document(
        [
            allow(
                ["logs:CreateLogStream", "logs:PutLogEvents"],
                f"{log_group_arn}:*",
                Principal={"Service": "route53.amazonaws.com"},
                Condition={"StringEquals": {"aws:SourceAccount": account}},
            )
        ]
    )
