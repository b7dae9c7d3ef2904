#!/usr/bin/env bash
# Pull through the cache: the first pull fetches from the other registry, every further one comes from here.
set -euo pipefail

{% include "_read.sh" %}
printf '%s' "$credential" | jq -r .password | docker login {= host | sh =} --username "$username" --password-stdin
{% for cache in caches %}
# {= cache.name =}: {= cache.upstream =}
docker pull {= (host ~ "/" ~ cache.name ~ "/" ~ cache.behind.example) | sh =}
{%- endfor %}
