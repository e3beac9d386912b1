#!/usr/bin/env bash
# Store a secret and print its id.
set -euo pipefail

usage() {
  cat <<'USAGE'
usage: create_secret.sh [--path PATH] [BASE64]

Stores a secret, under a path if one is given, and prints its id. Without BASE64 the value itself is
read from standard input, byte for byte, so that it appears in no argument list:

  printf %s "$PASSWORD" | scripts/create_secret.sh --path team/app/db-password

Environment:
  VAULT_URL         where the API is (default: http://127.0.0.1:8000)
  VAULT_TOKEN_FILE  a file with the token to send, if any; or VAULT_TOKEN, the token itself
  VAULT_CACERT      the CA certificate that signed the API's, for https
USAGE
}

path=
case "${1-}" in
  -h | --help) usage; exit 0 ;;
  --path) [ -n "${2-}" ] || { usage >&2; exit 2; }; path=$2; shift 2 ;;
esac
case "${1-}" in
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
require_plain "$path"

answer=$(printf '{"secret": "%s"%s}' "$value" "${path:+, \"path\": \"$path\"}" | post /vault/secret/create/)
printf %s "$answer" | field secret_id
