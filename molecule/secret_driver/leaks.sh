#!/bin/bash
# Prints each place that holds the driver's token or the value, then "searched". Neither is in an argument.
set -euo pipefail

token=$(cut --delimiter _ --fields 3 /var/lib/secret-manager-driver/token)
plugin=$(docker plugin inspect --format '{{ .Id }}' secret-manager)

has() { # place, text: reads standard input
  ! grep --quiet --text --fixed-strings --file <(printf '%s\n' "$2") || echo "$1"
}

docker plugin inspect secret-manager > /run/searched
has 'docker plugin inspect: token' "$token" < /run/searched
has 'config.json of the plugin: token' "$token" < "/var/lib/docker/plugins/$plugin/config.json"
cat /proc/[0-9]*/cmdline > /run/searched 2>/dev/null || true
has 'arguments: token' "$token" < /run/searched

canary=$CANARY_BEGINS$CANARY_ENDS
has 'arguments: value' "$canary" < /run/searched
{ docker secret inspect canary.v1; docker service inspect lab_allowed; docker inspect $(docker ps --quiet); } > /run/searched
has 'what the engine shows: value' "$canary" < /run/searched
journalctl --unit docker > /run/searched
has "the engine's log: value" "$canary" < /run/searched
# Only what is on a disk: a container has its secrets on a file system in memory.
printf '%s\n%s\n' "$canary" "$token" > /run/searched
find /var/lib/docker /etc/docker -xdev -type f -exec grep --text --files-with-matches --fixed-strings --file /run/searched {} + 2>/dev/null || true
rm /run/searched
echo searched
