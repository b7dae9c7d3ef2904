"""From another registry into Harbor: a plan in waves, Harbor's own replication to copy, and a check of every digest.

found = await read_source(…)                    # sources/: ECR, or another Harbor
migration = plan_of(found, …)                   # names.py, waves.py, rules.py: pure
projects, rules = fragments(migration, …)       # fragment.py: YAML that `slipway harbor plan` takes
run.py starts a wave and follows it; check.py compares source, plan and target.
"""
