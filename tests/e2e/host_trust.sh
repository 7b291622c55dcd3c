#!/bin/bash
# Behind a proxy that inspects TLS: the host's certificates and proxy variables are visible to RUN, and leave no
# trace: no layer, no history, no other cache key.
. "$(dirname "$0")/../support/assert.sh"
begin
log_in
write_project "$work/project"
cat >"$project/Dockerfile" <<'END'
FROM busybox
RUN env | sort >/dev/stderr; test ! -e "${SSL_CERT_FILE:-/nowhere}" || cat "$SSL_CERT_FILE" | wc -c >/dev/stderr; touch /done
END
head -c 4321 /dev/zero | tr '\0' x >"$work/bundle.pem"
export SSL_CERT_FILE=$work/bundle.pem HTTPS_PROXY=http://proxy.invalid:3128

dock build --no-cache --progress plain --push -t "$image:without" "$project"
expect_status 0
expect_no_text proxy.invalid

configure 'build:' '  host-trust: true'
dock build --no-cache --progress plain --push -t "$image:with" "$project"
expect_status 0
expect_text 'HTTPS_PROXY=http://proxy.invalid:3128'
expect_text 'NODE_EXTRA_CA_CERTS='
expect_text '(^|[^0-9])4321([^0-9]|$)'

for member in .config .rootfs '[.history[] | del(.created)]'; do
  expect_equal "$member" "$(image_config "$image:without" amd64 | jq -cS "$member" | sed -E 's/sha256:[0-9a-f]+//g')" \
    "$(image_config "$image:with" amd64 | jq -cS "$member" | sed -E 's/sha256:[0-9a-f]+//g')"
done
for ref in without with; do
  image_file "$image:$ref" amd64 /done >/dev/null
  tar -tf "$work/pulled.amd64/$(jq -r '.layers[-1].digest' "$work/pulled.amd64/manifest.json" | cut -d: -f2)" >"$work/$ref.files"
done
expect_equal "files of the layer" "$(<"$work/without.files")" "$(<"$work/with.files")"

configure
dock build --progress json --push -t "$image:again" "$project"
expect_status 0
run_steps=$(jq -sc '[.[] | select(.kind == "vertex_finished" and (.name | test("^\\[.* RUN ")))]' "$OUT")
expect_equal "from the cache, whatever the setting" '["hit"]' "$(jq -c 'map(.cache)' <<<"$run_steps")"
