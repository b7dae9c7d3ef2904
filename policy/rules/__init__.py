"""All rules, by subject."""

from policy.rule import Rule
from policy.rules import access, cluster, data, harbor, network, operations

RULES: tuple[Rule, ...] = (*network.RULES, *cluster.RULES, *access.RULES, *data.RULES, *operations.RULES, *harbor.RULES)
