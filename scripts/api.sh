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

# value EMPTY [BASE64]: the argument, or else standard input, as base64. Unless EMPTY is "yes", nothing is no value, nor is
# a line break alone: they are what a pipe delivers whose command failed, or whose variable is not set.
value() {
  local empty=$1 value
  shift
  if [ $# -eq 1 ]; then
    value=$1
  else
    if [ -t 0 ]; then echo "Type the value, then Ctrl-D:" >&2; fi
    value=$(base64 | tr -d '\n')
  fi
  case "$empty:$value" in
    : | :Cg== | :DQo=)
      echo "${0##*/}: the value is empty, so nothing was stored: if it should be empty, say so with --empty" >&2
      exit 2 ;;
  esac
  printf %s "$value"
}

# post PATH: send standard input as JSON; print the answer, or the problem on stderr.
# The token goes to curl through a file descriptor: an argument list is for everyone to read.
post() {
  local answer status token direct=''
  token=$(token) || return
  if is_this_machine; then direct=yes; fi
  answer=$(curl --silent --show-error --max-time 60 --write-out '\n%{http_code}' \
    ${VAULT_CACERT:+--cacert "$VAULT_CACERT"} \
    ${direct:+--noproxy '*'} \
    --config <(authorization "$token") \
    --header 'Content-Type: application/json' --data-binary @- "${VAULT_URL%/}$1") || return
  status=${answer##*$'\n'}
  answer=${answer%$'\n'*}
  case "$status" in
    2??) printf %s "$answer" ;;
    *)
      echo "${0##*/}: HTTP $status: $(printf %s "$answer" | problem 2>/dev/null || echo 'an answer without a detail')" >&2
      return 1 ;;
  esac
}

# Whether the API is on this machine. A proxy that http_proxy names would get token and value, over http in the clear,
# and could only look for the API on a machine of its own.
is_this_machine() (
  shopt -s nocasematch
  [[ ${VAULT_URL#*://} =~ ^([^/@]*@)?(([^/:@]+\.)?localhost|127(\.[0-9]+){0,3}|\[::1\])(:[0-9]*)?(/|$) ]]
)

# token: the token to send, if any. White space, NULs and byte order marks are not part of it: Windows' editors and
# shells leave them in a file.
token() {
  local token=${VAULT_TOKEN-} source=VAULT_TOKEN
  if [ -n "${VAULT_TOKEN_FILE-}" ]; then
    source="VAULT_TOKEN_FILE, $VAULT_TOKEN_FILE,"
    token=$(plain < "$VAULT_TOKEN_FILE") || exit 2
    if [ -z "$token" ]; then echo "${0##*/}: $source is empty: put the token there" >&2; exit 2; fi
  else
    token=$(printf %s "$token" | plain)
  fi
  # What these are not would end the header, or the line of curl's configuration.
  case "$token" in
    *[!A-Za-z0-9._~+/=-]*) echo "${0##*/}: $source holds characters that no token has: copy the token again" >&2; exit 2 ;;
  esac
  printf %s "$token"
}

plain() { LC_ALL=C tr -d '\000\t\n\r \357\273\277\376\377'; }

authorization() {
  if [ -n "$1" ]; then printf 'header = "Authorization: Bearer %s"\n' "$1"; fi
}

# field NAME: the value of a field of the JSON object on standard input; nothing for null.
field() {
  python3 -c 'import json, sys; value = json.load(sys.stdin)[sys.argv[1]]; print("" if value is None else value)' "$1"
}

# problem: what the problem document on standard input says; for invalid fields, also what is wrong with each.
problem() {
  python3 -c 'import json, sys

def messages(found, *names):
    if isinstance(found, str):
        yield ": ".join([".".join(names), found] if names else [found])
    elif isinstance(found, dict):
        for name, nested in found.items():
            yield from messages(nested, *names, name)
    else:
        for nested in found:
            yield from messages(nested, *names)

document = json.load(sys.stdin)
print("; ".join([document["detail"], *messages(document.get("errors", []))]))'
}
