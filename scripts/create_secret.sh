#!/usr/bin/env bash
# Store a secret and print its id.
set -euo pipefail

usage() {
  cat <<'USAGE'
usage: create_secret.sh [BASE64]

Stores a secret and prints its id. Without an argument the value itself is read from standard
input, byte for byte, so that it appears in no argument list:

  printf %s "$PASSWORD" | scripts/create_secret.sh

Environment:
  VAULT_URL         where the API is (default: http://127.0.0.1:8000)
  VAULT_TOKEN_FILE  a file with the token to send, if any; or VAULT_TOKEN, the token itself
  VAULT_CACERT      the CA certificate that signed the API's, for https
USAGE
}

case "${1-}" in
  -h | --help) usage; exit 0 ;;
  -*) usage >&2; exit 2 ;;
esac
[ $# -le 1 ] || { usage >&2; exit 2; }

# shellcheck source=scripts/api.sh
. "$(dirname "$0")/api.sh"

if [ $# -eq 1 ]; then
  value=$1
else
  if [ -t 0 ]; then echo "Type the value, then Ctrl-D:" >&2; fi
  value=$(base64 | tr -d '\n')
fi
require_plain "$value"

answer=$(printf '{"secret": "%s"}' "$value" | post /vault/secret/create/)
printf %s "$answer" | field secret_id
