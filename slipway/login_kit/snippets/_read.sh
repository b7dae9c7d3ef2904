{% if place.kind == "aws" -%}
credential=$(aws secretsmanager get-secret-value --region {= place.region | sh =} --secret-id {= place.id | sh =} --query SecretString --output text)
{%- elif place.kind == "kubernetes" -%}
credential=$(kubectl --namespace {= place.namespace | sh =} get secret {= place.id | sh =} --output 'go-template={{ index .data ".dockerconfigjson" | base64decode }}' | jq '.auths[]')
{%- else -%}
credential=$(cat {= place.id | sh =})
{%- endif %}
username=$(printf '%s' "$credential" | jq -r .username)
