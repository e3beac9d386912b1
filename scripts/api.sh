# shellcheck shell=bash
# What create_secret.sh and fetch_secret.sh share: one call to the API, and what it answers.

VAULT_URL=${VAULT_URL:-http://127.0.0.1:8000}

# Refuse what would break out of a JSON string: neither base64 nor an id nor a path has any of it.
require_plain() {
  case "$1" in
    *[!A-Za-z0-9+/=_.:@,~-]*)
      echo "${0##*/}: neither base64 nor an id nor a path: it has characters that these never have" >&2
      exit 2 ;;
  esac
}

# post PATH: send standard input as JSON; print the answer, or the problem's detail on stderr.
# The token goes to curl through a file descriptor: an argument list is for everyone to read.
post() {
  local answer status
  answer=$(curl --silent --show-error --max-time 60 --write-out '\n%{http_code}' \
    ${VAULT_CACERT:+--cacert "$VAULT_CACERT"} \
    --config <(authorization) \
    --header 'Content-Type: application/json' --data-binary @- "${VAULT_URL%/}$1") || return
  status=${answer##*$'\n'}
  answer=${answer%$'\n'*}
  case "$status" in
    2??) printf %s "$answer" ;;
    *)
      echo "${0##*/}: HTTP $status: $(printf %s "$answer" | field detail 2>/dev/null || echo 'an answer without a detail')" >&2
      return 1 ;;
  esac
}

authorization() {
  local token=${VAULT_TOKEN-}
  if [ -n "${VAULT_TOKEN_FILE-}" ]; then token=$(cat "$VAULT_TOKEN_FILE"); fi
  if [ -n "$token" ]; then printf 'header = "Authorization: Bearer %s"\n' "$token"; fi
}

# field NAME: the value of a string field of the JSON object on standard input.
field() {
  python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"
}
