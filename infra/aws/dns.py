"""Hosted zone, its delegation, CAA, and the ACM certificate of the registry's name."""

from collections.abc import Sequence

import pulumi
from pulumi_aws import acm, route53

from infra.aws.delegation import Delegation
from infra.durable import durable
from infra.naming import Names
from infra.settings import Settings

TOKEN = "slipway:aws:Dns"  # noqa: S105


class Dns(pulumi.ComponentResource):
    """Where the registry's name lives, and the certificate for it.

    Outputs:
        zone_id: the hosted zone that external-dns writes the registry's record into.
        name_servers: of a new zone; empty for an existing one.
        certificate_arn: a certificate that is validated, not only requested.
        gate: the pending delegation that everything which costs money waits for; empty when the parent is ours.
    """

    zone_id: pulumi.Output[str]
    name_servers: pulumi.Output[Sequence[str]]
    certificate_arn: pulumi.Output[str]
    gate: Sequence[pulumi.Resource]

    def __init__(self, settings: Settings, *, opts: pulumi.ResourceOptions) -> None:
        super().__init__(TOKEN, "dns", None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self.gate = ()
        if settings.dns.existing_zone:
            self.zone_id = self._zone_id_of(settings.dns.existing_zone)
            self.name_servers = pulumi.Output.from_input([])
            delegated: Sequence[pulumi.Resource] = ()
        else:
            delegated = self._new_zone(settings)
        self.certificate_arn = self._certificate(settings, delegated)
        self.register_outputs({"zoneId": self.zone_id, "nameServers": self.name_servers})

    def _zone_id_of(self, zone: str) -> pulumi.Output[str]:
        return route53.get_zone_output(name=zone, opts=pulumi.InvokeOptions(parent=self)).zone_id

    def _new_zone(self, settings: Settings) -> Sequence[pulumi.Resource]:
        """Declare the zone and whatever makes the world find it; gives what must succeed before ACM can validate."""
        zone = route53.Zone(
            "zone",
            name=settings.domain,
            comment=f"Harbor {settings.environment}",
            tags=Names(settings.environment).tags("zone"),
            opts=durable(self),
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
            tags=Names(settings.environment).tags("certificate"),
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
