#!/usr/bin/env bash
# nightly-load.sh FEATURE FILE SOURCE: loads a file (NDJSON, or *.csv) that is all that the source has. For cron: says
# nothing and ends with 0 when it is in; says why and ends with another status when it is not.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/focalpoint.sh"

feature=$1 file=$2 source=$3
[ -s "$file" ] || { echo "$file is empty or missing: the export has failed, nothing is sent" >&2 && exit 1; }

case $file in *.csv) media_type=text/csv ;; *) media_type=application/x-ndjson ;; esac
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

send() { # OPTION=VALUE…
  focalpoint POST "/v1/imports/$feature?source=$source&mode=replace$(printf '&%s' "$@")" \
    -H "Content-Type: $media_type" --data-binary @"$file" >"$answer"
}

report() {
  jq -r '"\(.status) \(.code): \(.detail // .title)",
    (.errors[]? | "  line \(.line // "?") \(.pointer // .parameter): \(.detail) (\(.rule))"),
    ((.error_count // 0) - ((.errors // []) | length) | select(. > 0) | "  and \(.) more")' "$answer" >&2
  exit 1
}

# A rehearsal finds the faults and counts the same; the office's log then tells what was about to happen.
send dry_run=true || report
jq -c . "$answer" | logger -t focalpoint-load 2>/dev/null || true
send force=false || report
