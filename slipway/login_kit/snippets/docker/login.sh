#!/usr/bin/env bash
# Log in, {= "push, " if push else "" =}pull with docker; podman and nerdctl take the same words. The secret never shows: not on the
# screen, not in the list of processes. Needs jq{= " and the AWS CLI" if place.kind == "aws" else "" =}.
set -euo pipefail

{% include "_read.sh" %}
printf '%s' "$credential" | jq -r .password | docker login {= host | sh =} --username "$username" --password-stdin
{% if push %}
docker tag app:latest {= image | sh =}:latest
docker push {= image | sh =}:latest
{%- endif %}
docker pull {= image | sh =}:latest
docker logout {= host | sh =}
