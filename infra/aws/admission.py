"""A security group that admits the nodes on one port and nobody else."""

import pulumi
from pulumi_aws import ec2

from infra.naming import Names


def admit_nodes(
    part: str,
    *,
    port: int,
    names: Names,
    vpc_id: pulumi.Input[str],
    node_security_group_id: pulumi.Input[str],
    parent: pulumi.Resource,
) -> pulumi.Output[str]:
    """Declare the group of a data service; gives its id. The rule is a resource of its own so that rules can see it."""
    child = pulumi.ResourceOptions(parent=parent)
    group = ec2.SecurityGroup(
        part,
        name=names.physical(part, limit=255),
        description=f"{part}: nodes only",
        vpc_id=vpc_id,
        tags=names.tags(part),
        opts=child,
    )
    ec2.SecurityGroupRule(
        f"{part}-from-nodes",
        type="ingress",
        description="From the nodes of the cluster",
        security_group_id=group.id,
        source_security_group_id=node_security_group_id,
        protocol="tcp",
        from_port=port,
        to_port=port,
        opts=child,
    )
    return group.id
