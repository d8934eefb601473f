#!/bin/sh
# bgremove: cut the subject out of a picture, with curl.
#
#   sh curl.sh PICTURE RESULT [SERVER]
#
# BGREMOVE_API_KEY in the environment is the key, where the server asks for one.
# It follows docs/openapi.json; the tests run it against a real server.
# subject: universal, human, product
# output_format: transparent, white_bg, mask, crop
# More, for white_bg: -F background=#f5f5f5 -F margin=8% -F canvas=2000x2000
set -eu

picture=${1:?usage: sh curl.sh PICTURE RESULT [SERVER]}
result=${2:?usage: sh curl.sh PICTURE RESULT [SERVER]}
server=${3:-http://127.0.0.1:8000}

part=$result.part
rm -f "$part"
# curl reads a name in quotes, in which \ and " are escaped.
quoted=$(printf '%s' "$picture" | sed 's/[\\"]/\\&/g')

# An empty header is not sent.
curl --silent --show-error --fail-with-body "$server/v1/remove-bg/universal" \
  -H "X-RapidAPI-Key: ${BGREMOVE_API_KEY:-}" \
  -F "image=@\"$quoted\"" \
  -F "subject=product" \
  -F "output_format=white_bg" \
  -o "$part" || {
  status=$?
  [ ! -f "$part" ] || cat "$part" >&2 # the error, as JSON
  rm -f "$part"
  exit "$status"
}
mv "$part" "$result"
