#!/usr/bin/env bash
# List the paths of secrets.
set -euo pipefail

# shellcheck source=scripts/api.sh
. "$(dirname "$0")/api.sh"

usage() {
  cat <<'USAGE'
usage: list_secrets.sh [--deleted] [--label KEY=VALUE]... [PREFIX]

Prints the paths that begin with PREFIX, a line each, as far as the token may list them; only those with all of
the labels, if any are given. With --deleted those that were deleted and can be brought back.
USAGE
  usage_environment
}

deleted=
while case "${1-}" in -*) true ;; *) false ;; esac; do
  case "$1" in
    -h | --help) usage; exit 0 ;;
    --deleted) deleted=', "deleted": true'; shift ;;
    --label) option "$1" "${2-}"; shift 2 ;;
    *) usage >&2; exit 2 ;;
  esac
done
[ $# -le 1 ] || { usage >&2; exit 2; }
prefix=${1-}
require_plain "$prefix"

cursor=
while true; do
  answer=$(printf '{"limit": 1000%s%s%s%s}' "${prefix:+, \"prefix\": \"$prefix\"}" "$deleted" "$(settings)" \
    "${cursor:+, \"cursor\": \"$cursor\"}" | post /vault/secret/list)
  printf %s "$answer" | python3 -c 'import json, sys
for secret in json.load(sys.stdin)["secrets"]: print(secret["path"])'
  cursor=$(printf %s "$answer" | field cursor)
  [ -n "$cursor" ] || break
done
