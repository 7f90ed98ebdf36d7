# shellcheck shell=bash
# Sourced by scripts that speak with Focalpoint: a token kept for its hour, and requests that are repeated where that
# helps. Needs bash, curl 7.76 or later, and jq.
#
#   FOCALPOINT               the server, such as https://focalpoint.example.org
#   FOCALPOINT_CLIENT_FILE   a file of mode 0600 with one line, id:secret
#   FOCALPOINT_TOKEN_FILE    where the token is kept     (in XDG_RUNTIME_DIR, else in ~/.cache)

# Prints a token: the kept one, or with `new` another. Neither secret nor token is ever in a command line, where
# `ps` shows it to everybody.
focalpoint_token() {
  local file=${FOCALPOINT_TOKEN_FILE:-${XDG_RUNTIME_DIR:-$HOME/.cache}/focalpoint-token} until="" token="" answer asked
  asked=$(date +%s)
  if [ "${1:-}" != new ] && { read -r until token <"$file"; } 2>/dev/null && [ "$asked" -lt "$until" ]; then
    printf '%s' "$token"
    return
  fi
  answer=$(curl -sS --fail --retry 5 --connect-timeout 10 --max-time 60 --data grant_type=client_credentials \
    -K <(printf 'user = "%s"\n' "$(cat "$FOCALPOINT_CLIENT_FILE")") "$FOCALPOINT/oauth/token") || return
  token=$(jq -r .access_token <<<"$answer")
  until=$((asked + $(jq .expires_in <<<"$answer") - 300))
  mkdir -p "$(dirname "$file")"
  (umask 077 && printf '%s %s\n' "$until" "$token" >"$file.$$" && mv "$file.$$" "$file")
  printf '%s' "$token"
}

# focalpoint METHOD PATH [option of curl…]: prints the body, also that of an error; fails unless the status is 2xx or
# 304. curl repeats after 408, 429 and 5xx, waits as Retry-After says, and after a connection that failed or broke.
# With HEADERS set to a file, the answer's headers are kept there.
focalpoint() {
  local method=$1 path=$2 body try status=000
  shift 2
  body=$(mktemp)
  for try in kept new; do
    status=$(curl -sS -X "$method" --compressed --connect-timeout 10 --max-time 300 \
      --retry 6 --retry-all-errors --retry-max-time 600 -D "${HEADERS:-/dev/null}" \
      -H @<(printf 'Authorization: Bearer %s\n' "$(focalpoint_token $try)") \
      -o "$body" -w '%{http_code}' "$@" "$FOCALPOINT$path") || status=000
    # a token that ended early: one new one, one more try
    [ "$status" = 401 ] || break
  done
  cat "$body"
  rm -f "$body"
  case $status in
    2?? | 304) ;;
    *)
      echo "focalpoint: $method ${path%%\?*} was answered with status $status" >&2
      return 1
      ;;
  esac
}

# focalpoint_pages PATH?QUERY: every item of a list, one a line.
focalpoint_pages() {
  local page cursor=""
  while :; do
    page=$(focalpoint GET "$1${cursor:+&cursor=$cursor}") || return
    jq -c '.items[]' <<<"$page"
    cursor=$(jq -r '.next_cursor // empty' <<<"$page")
    [ -n "$cursor" ] || return 0
  done
}
