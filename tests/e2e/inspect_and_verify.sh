#!/bin/bash
# What a registry holds, seen and checked; the exit status tells.
. "$(dirname "$0")/../support/assert.sh"
begin
log_in
write_project "$work/project"
dock build --platform "$platforms" --push -t "$image:1" "$project"
expect_status 0

dock verify "$image:1" --platform "$platforms"
expect_status 0
dock verify "$image:1" --platform linux/amd64,linux/s390x
expect_status 1
expect_text linux/s390x
dock verify "$image:nothing" --platform linux/amd64
[[ $STATUS != 0 ]] || fail "a tag that is not there was verified"

registry_inspect --raw "docker://$image:1" >"$work/index"
dock manifest inspect --raw "$image:1"
expect_status 0
cmp -s "$work/index" "$OUT" || fail "inspect --raw differs from the registry's document"
dock manifest inspect --json "$image:1"
expect_status 0
dock manifest inspect "$image:1"
expect_status 0
for digest in $(jq -r '.manifests[].digest' "$work/index"); do expect_text "$digest"; done

# A child that somebody deleted is found out.
child=$(registry_inspect --raw "docker://$image:1" | jq -r '.manifests[] | select(.platform.architecture == "arm64").digest')
curl -sf --noproxy '*' -u "$user:$password" -X DELETE "http://$registry/v2/team/app/manifests/$child"
dock verify "$image:1" --platform "$platforms"
expect_status 1
expect_text linux/arm64
