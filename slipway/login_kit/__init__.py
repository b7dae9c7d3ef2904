"""What a team needs to use the registry: a robot of its own, and snippets to paste for docker, Kubernetes and each CI.

    kit = Kit(host="registry.example.com", projects=("payments",), place=Place(kind="aws", …), …)
    snippets = render(kit)        # name, title, text, and what is still to fill in

- place.py: where the secret goes, from what the user writes (`aws:NAME`, `file:PATH`, `kubernetes:NAMESPACE/NAME`).
- target.py: which registry, and who logs in to it.
- hosts.py: the CI hosts whose jobs take an AWS role with a token of their own.
- kit.py: what the snippets speak of; render.py: the snippets, from catalogue.yaml and snippets/.
- robot.py: makes or rotates the robot (slipway/harbor/robots) in the registry.
- taken.py: which namespaces have the new secret.
"""
