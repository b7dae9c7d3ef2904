"""A managed node group for each zone, and the add-ons that need a node to run on.

One zone in a group: the group is never rebalanced across zones (which ignores disruption budgets), and an upgrade
goes zone by zone.
"""

import pulumi
from pulumi_aws import ec2, eks, iam

from infra import tables
from infra.aws.cluster import Cluster, addon
from infra.aws.network import Network
from infra.aws.policies import service_trust
from infra.naming import Names, partition
from infra.settings import Settings

TOKEN = "slipway:aws:Nodes"  # noqa: S105

#: Room for Harbor's images and Trivy's database.
DISK_GIB = 80
NODE_POLICIES = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly")


class Nodes(pulumi.ComponentResource):
    """The node groups of one environment."""

    def __init__(self, settings: Settings, *, network: Network, cluster: Cluster, opts: pulumi.ResourceOptions) -> None:
        super().__init__(TOKEN, "nodes", None, opts)
        self._names, child = Names(settings.environment), pulumi.ResourceOptions(parent=self)
        role, policies = self._role(settings)
        template = self._launch_template(network, cluster, settings)
        count = settings.sized.nodes_per_zone or 1
        groups: list[pulumi.Resource] = [
            eks.NodeGroup(
                f"nodes-{zone}",
                cluster_name=cluster.name,
                node_group_name=self._names.physical(zone),
                node_role_arn=role.arn,
                subnet_ids=[network.private_subnet_ids[zone]],
                ami_type="AL2023_x86_64_STANDARD",
                instance_types=[settings.sized.node_type or ""],
                launch_template={"id": template.id, "version": template.latest_version.apply(str)},
                # One more than wanted, so that an upgrade starts a node before it drains one.
                scaling_config={"desired_size": count, "min_size": count, "max_size": count + 1},
                update_config={"max_unavailable": 1},
                node_repair_config={"enabled": True},
                tags=self._names.tags(f"nodes-{zone}"),
                opts=pulumi.ResourceOptions.merge(
                    child,
                    pulumi.ResourceOptions(depends_on=[*cluster.before_nodes, *policies, *network.way_out]),
                ),
            )
            for zone in settings.zone_names
        ]
        for name in tables.addons("after-nodes"):
            addon(name, cluster=cluster, settings=settings, after=groups)
        self.register_outputs({})

    def _role(self, settings: Settings) -> tuple[iam.Role, list[pulumi.Resource]]:
        child = pulumi.ResourceOptions(parent=self)
        role = iam.Role(
            "nodes",
            name=self._names.physical("nodes", limit=64),
            assume_role_policy=service_trust("ec2.amazonaws.com"),
            tags=self._names.tags("nodes"),
            opts=child,
        )
        policies: list[pulumi.Resource] = [
            iam.RolePolicyAttachment(
                f"nodes-{policy}",
                role=role.name,
                policy_arn=f"arn:{partition(settings.region)}:iam::aws:policy/{policy}",
                opts=child,
            )
            for policy in NODE_POLICIES
        ]
        return role, policies

    def _launch_template(self, network: Network, cluster: Cluster, settings: Settings) -> ec2.LaunchTemplate:
        tags = self._names.tags("nodes") | {"Environment": settings.environment, "Owner": settings.owner}
        return ec2.LaunchTemplate(
            "nodes",
            name=self._names.physical("nodes", limit=128),
            vpc_security_group_ids=[cluster.security_group_id, network.node_security_group_id],
            metadata_options={
                "http_endpoint": "enabled",
                "http_tokens": "required",
                # One hop: pods cannot borrow the node's role.
                "http_put_response_hop_limit": 1,
            },
            block_device_mappings=[
                {
                    "device_name": "/dev/xvda",
                    "ebs": {
                        "volume_size": DISK_GIB,
                        "volume_type": "gp3",
                        "encrypted": "true",
                        "delete_on_termination": "true",
                    },
                }
            ],
            # The provider's default tags do not reach what the launch template starts.
            tag_specifications=[
                {"resource_type": "instance", "tags": tags},
                {"resource_type": "volume", "tags": tags},
            ],
            tags=self._names.tags("nodes"),
            opts=pulumi.ResourceOptions(parent=self),
        )
