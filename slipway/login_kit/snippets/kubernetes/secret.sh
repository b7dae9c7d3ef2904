#!/usr/bin/env bash
# A plain pull secret, for clusters without External Secrets. It does not follow a rotation: run this again after each.
set -euo pipefail

{% include "_read.sh" %}
printf '%s' "$credential" |
  jq --arg host {= host | sh =} '{auths: {($host): {username, password, auth: ("\(.username):\(.password)" | @base64)}}}' |
  kubectl --namespace {= namespace | sh =} create secret generic {= secret_name | sh =} \
    --type kubernetes.io/dockerconfigjson --from-file .dockerconfigjson=/dev/stdin --dry-run=client --output yaml |
  kubectl apply --filename -
echo "{= secret_name =} in {= namespace =} is $username's"
