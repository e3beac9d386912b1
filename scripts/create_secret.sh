#!/usr/bin/env bash
# Store a secret and print its id.
set -euo pipefail

# shellcheck source=scripts/api.sh
. "$(dirname "$0")/api.sh"

usage() {
  cat <<'USAGE'
usage: create_secret.sh [--path PATH] [--expires-in SECONDS] [--max-reads N] [--label KEY=VALUE]... [--empty] [BASE64]

Stores a secret, under a path if one is given, and prints its id. Without BASE64 the value itself is
read from standard input, byte for byte, so that it appears in no argument list:

  printf %s "$PASSWORD" | scripts/create_secret.sh --path team/app/db-password

After --expires-in SECONDS it is gone, and after --max-reads N fetches; labels are to find it by, and no secrets.
An empty value is refused unless --empty allows it: a pipe whose command failed delivers one.
USAGE
  usage_environment
}

path='' empty=''
while case "${1-}" in -*) true ;; *) false ;; esac; do
  case "$1" in
    -h | --help) usage; exit 0 ;;
    --empty) empty=yes; shift; continue ;;
  esac
  [ -n "${2-}" ] || { usage >&2; exit 2; }
  case "$1" in
    --path) path=$2 ;;
    *) option "$1" "$2" || { usage >&2; exit 2; } ;;
  esac
  shift 2
done
[ $# -le 1 ] || { usage >&2; exit 2; }

value=$(value "$empty" "$@")
require_plain "$value"
require_plain "$path"

answer=$(printf '{"secret": "%s"%s%s}' "$value" "${path:+, \"path\": \"$path\"}" "$(settings)" |
  post /vault/secret/create/)
printf %s "$answer" | field secret_id
