#!/usr/bin/env bash
# Add the pull secret to the default service account of every namespace that has the label; pods made from now on use it.
set -euo pipefail

for namespace in $(kubectl get namespaces --selector {= (label ~ "=true") | sh =} --output name); do
  kubectl --namespace "${namespace#namespace/}" patch serviceaccount default \
    --patch {= {"imagePullSecrets": [{"name": secret_name}]} | json | sh =}
done
