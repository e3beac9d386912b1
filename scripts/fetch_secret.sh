#!/usr/bin/env bash
# Fetch a secret by its id or path and print it.
set -euo pipefail

# shellcheck source=scripts/api.sh
. "$(dirname "$0")/api.sh"

usage() {
  cat <<'USAGE'
usage: fetch_secret.sh [--base64] [--version N] SECRET_ID|PATH

Prints the secret byte for byte, or as base64 with --base64: its current version, or the one that is named.
USAGE
  usage_environment
}

decode() { base64 --decode; }
version=
while case "${1-}" in -*) true ;; *) false ;; esac; do
  case "$1" in
    -h | --help) usage; exit 0 ;;
    --base64) decode() { cat; }; shift ;;
    --version) require_number "${2-}"; version=$2; shift 2 ;;
    *) usage >&2; exit 2 ;;
  esac
done
[ $# -eq 1 ] || { usage >&2; exit 2; }
require_plain "$1"

answer=$(printf '{%s%s}' "$(named "$1")" "${version:+, \"version\": $version}" | post /vault/secret/fetch)
printf %s "$answer" | field secret | decode
