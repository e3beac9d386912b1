# shellcheck shell=bash
# What the other scripts share: one call to the API, and what it answers.

VAULT_URL=${VAULT_URL:-http://127.0.0.1:8000}

# The end of every usage.
usage_environment() {
  cat <<'USAGE'

Environment:
  VAULT_URL         where the API is (default: http://127.0.0.1:8000)
  VAULT_TOKEN_FILE  a file with the token to send, if any; or VAULT_TOKEN, the token itself
  VAULT_CACERT      the CA certificate that signed the API's, for https
USAGE
}

# Refuse what would break out of a JSON string: neither base64 nor an id nor a path has any of it.
require_plain() {
  case "$1" in
    *[!A-Za-z0-9+/=_.:@,~-]*)
      echo "${0##*/}: neither base64 nor an id nor a path: it has characters that these never have" >&2
      exit 2 ;;
  esac
}

require_number() {
  case "$1" in
    '' | *[!0-9]*) echo "${0##*/}: a number is expected" >&2; exit 2 ;;
  esac
}

# named SECRET_ID|PATH: the field of a JSON object that says which secret is meant.
named() {
  local hex='[0-9a-fA-F]' name=path
  if [[ $1 =~ ^$hex{8}(-$hex{4}){3}-$hex{12}$ ]]; then name=secret_id; fi
  printf '"%s": "%s"' "$name" "$1"
}

# option NAME VALUE: notes an option that several scripts share; fails if it is not one of these.
# settings: the fields of a JSON object that these options came to, each behind a comma.
_fields='' _labels=''
option() {
  case "$1" in
    --expires-in) require_number "$2"; _fields+=", \"expires_in\": $2" ;;
    --max-reads) require_number "$2"; _fields+=", \"max_reads\": $2" ;;
    --label)
      require_plain "$2"
      case "$2" in
        ?*=*) _labels+="${_labels:+, }\"${2%%=*}\": \"${2#*=}\"" ;;
        *) echo "${0##*/}: --label takes KEY=VALUE" >&2; exit 2 ;;
      esac ;;
    *) return 1 ;;
  esac
}
settings() { printf %s "$_fields${_labels:+, \"labels\": {$_labels\}}"; }

# value [BASE64]: the argument, or else standard input, as base64.
value() {
  if [ $# -eq 1 ]; then
    printf %s "$1"
    return
  fi
  if [ -t 0 ]; then echo "Type the value, then Ctrl-D:" >&2; fi
  base64 | tr -d '\n'
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

# field NAME: the value of a field of the JSON object on standard input; nothing for null.
field() {
  python3 -c 'import json, sys; value = json.load(sys.stdin)[sys.argv[1]]; print("" if value is None else value)' "$1"
}
