#!/usr/bin/env bash
# Keep a file at the current version of a secret, and run a command after each change.
set -euo pipefail

# shellcheck source=scripts/api.sh
. "$(dirname "$0")/api.sh"

usage() {
  cat <<'USAGE'
usage: follow_secret.sh [--every SECONDS] SECRET_ID|PATH FILE COMMAND [ARGUMENT…]

Writes the current version of a secret to FILE (mode 0600, whole or not at all), runs COMMAND, and does both again for
each new version, until it is stopped. It asks every 60 seconds. While the API cannot be reached or refuses, or COMMAND
fails, FILE stays as it is, and it tries again at the next turn. Put FILE into memory, such as below /dev/shm or /run.
It needs the scopes list and fetch.
USAGE
  usage_environment
}

every=60
while case "${1-}" in -*) true ;; *) false ;; esac; do
  case "$1" in
    -h | --help) usage; exit 0 ;;
    --every) require_number "${2-}"; every=$2; shift 2 ;;
    *) usage >&2; exit 2 ;;
  esac
done
[ $# -ge 3 ] || { usage >&2; exit 2; }
require_plain "$1"
name=$(named "$1") file=$2
shift 2

# The version alone: describe carries no value, so nothing is read that has been read before.
newest() { printf '{%s}' "$name" | post /vault/secret/describe | field version; }
value() { printf '{%s, "version": %s}' "$name" "$1" | post /vault/secret/fetch | field secret | base64 --decode; }

umask 077
written='' done=''
while true; do
  if version=$(newest) && [ "$version" != "$done" ]; then
    if [ "$version" = "$written" ] || { value "$version" > "$file.new" && mv "$file.new" "$file"; }; then
      written=$version
      if "$@"; then done=$version; else echo "${0##*/}: the command failed: it is run again at the next turn" >&2; fi
    else
      rm -f "$file.new"
    fi
  fi
  sleep "$every"
done
