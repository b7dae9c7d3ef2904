"""VPC over the zones: public, control-plane, data (isolated) and private subnets, NAT, S3 gateway endpoint."""

from collections.abc import Mapping, Sequence

import pulumi
from pulumi_aws import ec2

from infra.aws.subnets import ZoneSubnets, plan
from infra.naming import Names
from infra.settings import Settings

TOKEN = "slipway:aws:Network"  # noqa: S105


class Network(pulumi.ComponentResource):
    """The network of one environment.

    Outputs:
        vpc_id: the VPC, once its routes exist for `private_subnet_ids` (nodes need their way out).
        public_subnet_ids, control_plane_subnet_ids, data_subnet_ids, private_subnet_ids: zone name → subnet id.
        node_security_group_id: put on every node, and the only source that database, cache and storage admit. It is
            made here, before the cluster, so that none of these waits for EKS.
    """

    vpc_id: pulumi.Output[str]
    public_subnet_ids: Mapping[str, pulumi.Output[str]]
    control_plane_subnet_ids: Mapping[str, pulumi.Output[str]]
    data_subnet_ids: Mapping[str, pulumi.Output[str]]
    private_subnet_ids: Mapping[str, pulumi.Output[str]]
    node_security_group_id: pulumi.Output[str]

    def __init__(self, settings: Settings, *, after: Sequence[pulumi.Resource], opts: pulumi.ResourceOptions) -> None:
        """Declare the network.

        Args:
            settings: zones, addresses and NAT mode.
            after: what must succeed before anything that costs money is made (a pending DNS delegation).
            opts: carries the explicit providers.
        """
        super().__init__(TOKEN, "network", None, opts)
        self._names = Names(settings.environment)
        self._child = pulumi.ResourceOptions(parent=self)
        vpc = ec2.Vpc(
            "vpc",
            cidr_block=settings.network.cidr,
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags=self._names.tags("vpc"),
            opts=pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(depends_on=after)),
        )
        self.vpc_id = vpc.id
        # Adopted only to be emptied: nothing may use the group that AWS opens to itself.
        ec2.DefaultSecurityGroup("default", vpc_id=vpc.id, tags=self._names.tags("default"), opts=self._child)
        subnets = plan(settings.network.cidr, settings.zone_names)
        self.public_subnet_ids = self._subnets("public", subnets, {"kubernetes.io/role/elb": "1"})
        self.control_plane_subnet_ids = self._subnets("control-plane", subnets, {})
        self.data_subnet_ids = self._subnets("data", subnets, {})
        self.private_subnet_ids = self._subnets("private", subnets, {"kubernetes.io/role/internal-elb": "1"})
        self.routes = self._route(settings)
        self.node_security_group_id = self._node_security_group()
        self.register_outputs({"vpcId": self.vpc_id})

    def _subnets(
        self, tier: str, subnets: Mapping[str, ZoneSubnets], role: Mapping[str, str]
    ) -> dict[str, pulumi.Output[str]]:
        return {
            zone: ec2.Subnet(
                f"{tier}-{zone}",
                vpc_id=self.vpc_id,
                availability_zone=zone,
                cidr_block=getattr(networks, tier.replace("-", "_")),
                # Load balancers and NAT gateways bring their own addresses.
                map_public_ip_on_launch=False,
                tags={**self._names.tags(f"{tier}-{zone}"), **role},
                opts=self._child,
            ).id
            for zone, networks in subnets.items()
        }

    def _route(self, settings: Settings) -> list[pulumi.Resource]:
        """Declare gateways and route tables; gives what a node's first image pull needs."""
        gateway = ec2.InternetGateway(
            "internet", vpc_id=self.vpc_id, tags=self._names.tags("internet"), opts=self._child
        )
        public = self._route_table("public", self.public_subnet_ids)
        ec2.Route(
            "public-default",
            route_table_id=public.id,
            destination_cidr_block="0.0.0.0/0",
            gateway_id=gateway.id,
            opts=self._child,
        )
        data = self._route_table("data", {**self.data_subnet_ids, **self._renamed(self.control_plane_subnet_ids)})
        nat_zones = settings.zone_names if settings.nat == "per-zone" else settings.zone_names[:1]
        nats = {zone: self._nat(zone, gateway) for zone in nat_zones}
        tables = [public, data]
        routes: list[pulumi.Resource] = []
        for zone, subnet_id in self.private_subnet_ids.items():
            table = self._route_table(f"private-{zone}", {zone: subnet_id}, association="private")
            nat = nats.get(zone, nats[nat_zones[0]])
            routes.append(
                ec2.Route(
                    f"private-{zone}-default",
                    route_table_id=table.id,
                    destination_cidr_block="0.0.0.0/0",
                    nat_gateway_id=nat.id,
                    opts=self._child,
                )
            )
            tables.append(table)
        # Free, and keeps image layers in S3 (ECR's, and the registry's own with storage s3) off the NAT bill.
        ec2.VpcEndpoint(
            "s3",
            vpc_id=self.vpc_id,
            service_name=f"com.amazonaws.{settings.region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=[table.id for table in tables],
            tags=self._names.tags("s3"),
            opts=self._child,
        )
        return routes

    @staticmethod
    def _renamed(subnet_ids: Mapping[str, pulumi.Output[str]]) -> dict[str, pulumi.Output[str]]:
        return {f"control-plane-{zone}": subnet_id for zone, subnet_id in subnet_ids.items()}

    def _route_table(
        self, name: str, subnet_ids: Mapping[str, pulumi.Output[str]], association: str = ""
    ) -> ec2.RouteTable:
        table = ec2.RouteTable(name, vpc_id=self.vpc_id, tags=self._names.tags(name), opts=self._child)
        for key, subnet_id in subnet_ids.items():
            ec2.RouteTableAssociation(
                f"{association or name}-{key}", route_table_id=table.id, subnet_id=subnet_id, opts=self._child
            )
        return table

    def _nat(self, zone: str, gateway: ec2.InternetGateway) -> ec2.NatGateway:
        address = ec2.Eip(
            f"nat-{zone}",
            domain="vpc",
            tags=self._names.tags(f"nat-{zone}"),
            opts=pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(depends_on=[gateway])),
        )
        return ec2.NatGateway(
            f"nat-{zone}",
            subnet_id=self.public_subnet_ids[zone],
            allocation_id=address.id,
            tags=self._names.tags(f"nat-{zone}"),
            opts=self._child,
        )

    def _node_security_group(self) -> pulumi.Output[str]:
        group = ec2.SecurityGroup(
            "nodes",
            name=self._names.physical("nodes", limit=255),
            description="Nodes of the EKS cluster",
            vpc_id=self.vpc_id,
            tags=self._names.tags("nodes"),
            opts=self._child,
        )
        ec2.SecurityGroupRule(
            "nodes-egress",
            type="egress",
            description="Images, AWS APIs, database, cache and storage",
            security_group_id=group.id,
            protocol="-1",
            from_port=0,
            to_port=0,
            cidr_blocks=["0.0.0.0/0"],
            opts=self._child,
        )
        return group.id
