#!/usr/bin/env bash
# Give a secret another value and print the number of its version.
set -euo pipefail

# shellcheck source=scripts/api.sh
. "$(dirname "$0")/api.sh"

usage() {
  cat <<'USAGE'
usage: update_secret.sh [--expected-version N] [--expires-in SECONDS] [--max-reads N] [--label KEY=VALUE]...
                        [--empty] SECRET_ID|PATH [BASE64]

Adds a version and prints its number; older ones stay. Without BASE64 the value itself is read from
standard input, byte for byte. With --expected-version nothing happens unless that is the current version.
Labels take the place of all that there are. An empty value is refused unless --empty allows it: a pipe
whose command failed delivers one.
USAGE
  usage_environment
}

expected='' empty=''
while case "${1-}" in -*) true ;; *) false ;; esac; do
  case "$1" in
    -h | --help) usage; exit 0 ;;
    --empty) empty=yes; shift; continue ;;
  esac
  [ -n "${2-}" ] || { usage >&2; exit 2; }
  case "$1" in
    --expected-version) require_number "$2"; expected=$2 ;;
    *) option "$1" "$2" || { usage >&2; exit 2; } ;;
  esac
  shift 2
done
[ $# -ge 1 ] && [ $# -le 2 ] || { usage >&2; exit 2; }
name=$1; shift
require_plain "$name"

value=$(value "$empty" "$@")
require_plain "$value"

answer=$(printf '{%s, "secret": "%s"%s%s}' "$(named "$name")" "$value" \
  "${expected:+, \"expected_version\": $expected}" "$(settings)" | post /vault/secret/update)
printf %s "$answer" | field version
