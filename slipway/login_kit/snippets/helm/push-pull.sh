#!/usr/bin/env bash
# Charts in the registry: log in, {= "package, push, " if push else "" =}pull. Helm keeps its own login beside docker's.
set -euo pipefail

{% include "_read.sh" %}
printf '%s' "$credential" | jq -r .password | helm registry login {= host | sh =} --username "$username" --password-stdin
{% if push %}
helm package ./chart --destination dist
for chart in dist/*.tgz; do
  helm push "$chart" {= ("oci://" ~ host ~ "/" ~ project ~ "/charts") | sh =}
done
{%- endif %}
helm pull {= ("oci://" ~ host ~ "/" ~ project ~ "/charts/app") | sh =} --version 1.0.0
helm registry logout {= host | sh =}
