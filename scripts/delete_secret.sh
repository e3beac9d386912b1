#!/usr/bin/env bash
# Delete a secret, bring it back, or destroy it for good; print the state that it is in then.
set -euo pipefail

# shellcheck source=scripts/api.sh
. "$(dirname "$0")/api.sh"

usage() {
  cat <<'USAGE'
usage: delete_secret.sh [--undelete | --destroy [--in-use]] SECRET_ID|PATH [VERSION]...

Hides a secret, or these versions of it, for 30 days; --undelete brings back what was hidden. With --destroy its values
are gone for good, with --in-use even those that Swarm services are known to use. Prints the state of the secret: live,
deleted or destroyed.
USAGE
  usage_environment
}

call=delete in_use=
case "${1-}" in
  -h | --help) usage; exit 0 ;;
  --undelete | --destroy) call=${1#--}; shift ;;
esac
if [[ $call == destroy && ${1-} == --in-use ]]; then in_use=', "in_use": true'; shift; fi
case "${1-}" in '' | -*) usage >&2; exit 2 ;; esac
name=$1; shift
require_plain "$name"

versions=
for version in "$@"; do
  require_number "$version"
  versions+="${versions:+, }$version"
done

answer=$(printf '{%s%s%s}' "$(named "$name")" "${versions:+, \"versions\": [$versions]}" "$in_use" |
  post "/vault/secret/$call")
printf %s "$answer" | field state
