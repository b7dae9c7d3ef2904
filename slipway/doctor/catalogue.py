"""Every check, in the order in which they are shown."""

from slipway.doctor import clock, cloud, cluster, git, machine, quotas, registry, stack

CHECKS = (
    *machine.CHECKS,
    *clock.CHECKS,
    *stack.CHECKS,
    *cloud.CHECKS,
    *quotas.CHECKS,
    *git.CHECKS,
    *cluster.CHECKS,
    *registry.CHECKS,
)
