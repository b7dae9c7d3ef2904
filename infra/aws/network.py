"""VPC over the zones: public, control-plane, data (isolated) and private subnets, NAT, endpoints, flow logs."""

from collections.abc import Mapping, Sequence

import pulumi
from pulumi_aws import ec2, iam

from infra.aws.admission import admit_nodes
from infra.aws.existing_network import look_up
from infra.aws.logs import log_group
from infra.aws.policies import allow, policy_document, service_trust
from infra.aws.subnets import ZoneSubnets, plan
from infra.naming import Names
from infra.sections.network import ExistingNetwork
from infra.settings import Settings

TOKEN = "slipway:aws:Network"  # noqa: S105

HTTPS_PORT = 443
#: AWS services that nodes, add-ons and controllers call. Source: EKS "Deploy private clusters with limited internet
#: access" and EKS Blueprints' fully private pattern.
PRIVATE_SERVICES = (
    "autoscaling",
    "ec2",
    "ec2messages",
    "ecr.api",
    "ecr.dkr",
    "eks",
    "eks-auth",
    "elasticfilesystem",
    "elasticloadbalancing",
    "kms",
    "logs",
    "secretsmanager",
    "ssm",
    "ssmmessages",
    "sts",
)


class Network(pulumi.ComponentResource):
    """The network of one environment, made or found.

    Outputs:
        vpc_id, vpc_cidr: the VPC and its IPv4 network; of a found one, once nothing is lacking.
        public_subnet_ids, control_plane_subnet_ids, data_subnet_ids, private_subnet_ids: zone name → subnet id.
        way_out: what a node's first image pull needs.
        nat_gateway_ids: logical name → id of the NAT gateways; empty in a found VPC.
        node_security_group_id: put on every node, and the only source that database, cache and storage admit. It is
            made here, before the cluster, so that none of these waits for EKS.
    """

    vpc_id: pulumi.Output[str]
    vpc_cidr: pulumi.Output[str]
    public_subnet_ids: Mapping[str, pulumi.Output[str]]
    control_plane_subnet_ids: Mapping[str, pulumi.Output[str]]
    data_subnet_ids: Mapping[str, pulumi.Output[str]]
    private_subnet_ids: Mapping[str, pulumi.Output[str]]
    way_out: list[pulumi.Resource]
    nat_gateway_ids: dict[str, pulumi.Output[str]]
    node_security_group_id: pulumi.Output[str]

    def __init__(
        self,
        settings: Settings,
        *,
        logs_key_arn: pulumi.Input[str],
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Declare the network.

        Args:
            settings: zones, addresses and NAT mode, or the existing VPC.
            logs_key_arn: KMS key of the flow logs.
            after: what must succeed before anything that costs money is made (a pending DNS delegation).
            opts: carries the explicit providers.
        """
        super().__init__(TOKEN, "network", None, opts)
        self._names = Names(settings.environment)
        self._child = pulumi.ResourceOptions(parent=self)
        self.nat_gateway_ids, self.way_out = {}, []
        if existing := settings.network.existing:
            self._find(settings, existing)
        else:
            self._make(settings, logs_key_arn, after)
        self.node_security_group_id = self._node_security_group()
        if settings.network.private_endpoints and not settings.network.existing:
            endpoints = self._interface_endpoints(settings)
            if settings.nat == "none":
                self.way_out = endpoints
        self.register_outputs({"vpcId": self.vpc_id})

    def _find(self, settings: Settings, existing: ExistingNetwork) -> None:
        vpc = look_up(settings, existing, self)
        self.vpc_id, self.vpc_cidr = vpc.apply(lambda found: found.id), vpc.apply(lambda found: found.cidr)

        def checked(subnet_ids: Mapping[str, str]) -> dict[str, pulumi.Output[str]]:
            """Give the ids only once the whole VPC was checked."""
            return {zone: vpc.apply(lambda _, found=found: found) for zone, found in subnet_ids.items()}

        self.public_subnet_ids = checked(existing.public)
        self.private_subnet_ids = checked(existing.private)
        self.data_subnet_ids = checked(existing.data)
        self.control_plane_subnet_ids = checked(existing.control_plane or existing.private)

    def _make(self, settings: Settings, logs_key_arn: pulumi.Input[str], after: Sequence[pulumi.Resource]) -> None:
        vpc = ec2.Vpc(
            "vpc",
            cidr_block=settings.network.cidr,
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags=self._names.tags("vpc"),
            opts=pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(depends_on=after)),
        )
        self.vpc_id, self.vpc_cidr = vpc.id, vpc.cidr_block
        # Adopted only to be emptied: nothing may use the group that AWS opens to itself.
        ec2.DefaultSecurityGroup("default", vpc_id=vpc.id, tags=self._names.tags("default"), opts=self._child)
        subnets = plan(settings.network.cidr, settings.zone_names)
        self.public_subnet_ids = self._subnets("public", subnets, {"kubernetes.io/role/elb": "1"})
        self.control_plane_subnet_ids = self._subnets("control-plane", subnets, {})
        self.data_subnet_ids = self._subnets("data", subnets, {})
        self.private_subnet_ids = self._subnets("private", subnets, {"kubernetes.io/role/internal-elb": "1"})
        self.way_out = self._route(settings)
        self._flow_log(settings, logs_key_arn)

    def _flow_log(self, settings: Settings, key_arn: pulumi.Input[str]) -> None:
        name = f"/aws/vpc/{self._names.physical()}/flow-logs"
        logs = log_group("flow-logs", name=name, settings=settings, key_arn=key_arn, parent=self)
        role = iam.Role(
            "flow-logs",
            name=self._names.physical("flow-logs", limit=64),
            assume_role_policy=service_trust("vpc-flow-logs.amazonaws.com"),
            tags=self._names.tags("flow-logs"),
            opts=self._child,
        )
        actions = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"]
        policy = iam.RolePolicy(
            "flow-logs",
            role=role.name,
            policy=logs.arn.apply(lambda arn: policy_document([allow(actions, f"{arn}:*")])),
            opts=self._child,
        )
        ec2.FlowLog(
            "flow-logs",
            vpc_id=self.vpc_id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=logs.arn,
            iam_role_arn=role.arn,
            max_aggregation_interval=600,
            tags=self._names.tags("flow-logs"),
            opts=pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(depends_on=[policy])),
        )

    def _interface_endpoints(self, settings: Settings) -> list[pulumi.Resource]:
        group_id = admit_nodes(
            "endpoints",
            port=HTTPS_PORT,
            names=self._names,
            vpc_id=self.vpc_id,
            node_security_group_id=self.node_security_group_id,
            parent=self,
        )
        return [
            ec2.VpcEndpoint(
                f"endpoint-{service.replace('.', '-')}",
                vpc_id=self.vpc_id,
                service_name=f"com.amazonaws.{settings.region}.{service}",
                vpc_endpoint_type="Interface",
                private_dns_enabled=True,
                subnet_ids=list(self.private_subnet_ids.values()),
                security_group_ids=[group_id],
                tags=self._names.tags(service),
                opts=self._child,
            )
            for service in PRIVATE_SERVICES
        ]

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
        tables = [public, data]
        nats = self._nats(settings, gateway)
        routes: list[pulumi.Resource] = []
        for zone, subnet_id in self.private_subnet_ids.items():
            table = self._route_table(f"private-{zone}", {zone: subnet_id}, association="private")
            tables.append(table)
            if zone in nats:
                routes.append(
                    ec2.Route(
                        f"private-{zone}-default",
                        route_table_id=table.id,
                        destination_cidr_block="0.0.0.0/0",
                        nat_gateway_id=nats[zone].id,
                        opts=self._child,
                    )
                )
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

    def _nats(self, settings: Settings, gateway: ec2.InternetGateway) -> dict[str, ec2.NatGateway]:
        """Declare the NAT gateways of the mode; gives zone → the one that its nodes use."""
        zones = settings.zone_names
        match settings.nat:
            case "none":
                return {}
            case "single":
                return dict.fromkeys(zones, self._nat(zones[0], gateway))
            case "regional":
                return dict.fromkeys(zones, self._regional_nat(gateway))
            case "per-zone":
                return {zone: self._nat(zone, gateway) for zone in zones}

    def _regional_nat(self, gateway: ec2.InternetGateway) -> ec2.NatGateway:
        """Declare one gateway that AWS spreads over the zones, with addresses of its own."""
        nat = ec2.NatGateway(
            "nat",
            availability_mode="regional",
            vpc_id=self.vpc_id,
            tags=self._names.tags("nat"),
            opts=pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(depends_on=[gateway])),
        )
        self.nat_gateway_ids["nat"] = nat.id
        return nat

    def _nat(self, zone: str, gateway: ec2.InternetGateway) -> ec2.NatGateway:
        name = f"nat-{zone}"
        address = ec2.Eip(
            name,
            domain="vpc",
            tags=self._names.tags(name),
            opts=pulumi.ResourceOptions.merge(self._child, pulumi.ResourceOptions(depends_on=[gateway])),
        )
        nat = ec2.NatGateway(
            name,
            subnet_id=self.public_subnet_ids[zone],
            allocation_id=address.id,
            tags=self._names.tags(name),
            opts=self._child,
        )
        self.nat_gateway_ids[name] = nat.id
        return nat

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
