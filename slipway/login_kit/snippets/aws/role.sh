#!/usr/bin/env bash
# The role that CI jobs take with their host's own token: it reads this one secret, nothing else. Run it once, as an
# administrator of the account, beside trust-*.json and policy.json: role.sh github|gitlab|bitbucket
set -euo pipefail
cd "$(dirname "$0")"

host=${1:?github, gitlab or bitbucket}
case $host in
  github) url={= ("https://" ~ github.host) | sh =} audience={= github.audience | sh =} ;;
  gitlab) url={= ("https://" ~ gitlab.host) | sh =} audience={= gitlab.audience | sh =} ;;
  bitbucket) url={= ("https://" ~ bitbucket.host) | sh =} audience={= bitbucket.audience | sh =} ;;
  *)
    echo "no trust policy for $host" >&2
    exit 2
    ;;
esac

provider={= (iam ~ ":oidc-provider/") | sh =}${url#https://}
aws iam get-open-id-connect-provider --open-id-connect-provider-arn "$provider" >/dev/null 2>&1 ||
  aws iam create-open-id-connect-provider --url "$url" --client-id-list "$audience"
aws iam create-role --role-name {= role | sh =} --assume-role-policy-document "file://trust-$host.json"
aws iam put-role-policy --role-name {= role | sh =} --policy-name read-robot --policy-document file://policy.json
