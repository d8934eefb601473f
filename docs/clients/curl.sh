#!/bin/sh
# bgremove: cut the subject out of a picture, with curl.
#
#   sh curl.sh PICTURE RESULT [SERVER] [FIELD=VALUE ...]
#   sh curl.sh shoe.jpg white.jpg http://127.0.0.1:8000 subject=product output_format=white_bg
#
# BGREMOVE_API_KEY in the environment is the key, where the server asks for one.
# It follows docs/openapi.json; the tests run it against a real server.
# subject: universal, human, product. output_format: transparent, white_bg, mask, crop.
# With white_bg, for example: background=#f5f5f5 margin=8% canvas=2000x2000.
set -eu

usage="usage: sh curl.sh PICTURE RESULT [SERVER] [FIELD=VALUE ...]"
picture=${1:?$usage}
result=${2:?$usage}
server=${3:-http://127.0.0.1:8000}
shift "$(($# < 3 ? $# : 3))"
for field do # each becomes an argument of curl's
  shift
  set -- "$@" --form-string "$field"
done

part=$result.part
rm -f "$part"
# curl reads a name in quotes, in which \ and " are escaped.
quoted=$(printf '%s' "$picture" | sed 's/[\\"]/\\&/g')

# An empty header is not sent.
curl --silent --show-error --fail-with-body "$server/v1/remove-bg/universal" \
  -H "X-Api-Key: ${BGREMOVE_API_KEY:-}" \
  -F "image=@\"$quoted\"" \
  "$@" \
  -o "$part" || {
  status=$?
  [ ! -f "$part" ] || cat "$part" >&2 # the error, as JSON
  rm -f "$part"
  exit "$status"
}
mv "$part" "$result"
