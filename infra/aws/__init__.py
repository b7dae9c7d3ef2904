"""Layer 1: one component for each AWS part, made of raw ``pulumi_aws`` resources so that rules can see every child.

Each module begins with its type token, which is part of every child's URN in the state: it never changes
(tests/graph/test_locked_names.py).
"""
