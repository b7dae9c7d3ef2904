#!/usr/bin/env bash
# Sign and verify with notation and AWS Signer (its plugin must be installed), in any CI: log in first, give the image
# with its digest. notation-trust-policy.json lies beside this file.
set -euo pipefail

image=${1:?image with its digest: {= image =}@sha256:…}
profile={= signing_profile | sh =}

notation policy import --force "$(dirname "$0")/notation-trust-policy.json"
notation sign --plugin com.amazonaws.signer.notation.plugin --id "$profile" "$image"
notation verify "$image"
