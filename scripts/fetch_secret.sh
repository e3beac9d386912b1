#!/usr/bin/env bash
# Fetch a secret by its id or path and print it.
set -euo pipefail

usage() {
  cat <<'USAGE'
usage: fetch_secret.sh [--base64] SECRET_ID|PATH

Prints the secret byte for byte, or as base64 with --base64.

Environment:
  VAULT_URL         where the API is (default: http://127.0.0.1:8000)
  VAULT_TOKEN_FILE  a file with the token to send, if any; or VAULT_TOKEN, the token itself
  VAULT_CACERT      the CA certificate that signed the API's, for https
USAGE
}

decode() { base64 --decode; }
case "${1-}" in
  -h | --help) usage; exit 0 ;;
  --base64) decode() { cat; }; shift ;;
esac
case "${1-}" in '' | -*) usage >&2; exit 2 ;; esac
[ $# -eq 1 ] || { usage >&2; exit 2; }

# shellcheck source=scripts/api.sh
. "$(dirname "$0")/api.sh"

require_plain "$1"

hex='[0-9a-fA-F]'
if [[ $1 =~ ^$hex{8}(-$hex{4}){3}-$hex{12}$ ]]; then name=secret_id; else name=path; fi

answer=$(printf '{"%s": "%s"}' "$name" "$1" | post /vault/secret/fetch)
printf %s "$answer" | field secret | decode
