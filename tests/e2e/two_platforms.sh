#!/bin/bash
# covers: action docker/login-action, action docker/build-push-action
# The workflow as users write it: one tag, two platforms, each with what its own processor said.
. "$(dirname "$0")/../support/assert.sh"
begin
write_project "$work/project"

run_workflow
expect_status 0
expect_equal "platforms" "linux/amd64 linux/arm64" "$(image_platforms "$image:latest")"
expect_equal "tags answer alike" "$(tag_digest "$image:main")" "$(tag_digest "$image:latest")"
expect_text "pushed=sha256:$(tag_digest "$image:latest")"

expect_equal "amd64 ran on" $'ahoy\nx86_64' "$(image_file "$image:latest" amd64 /result)"
expect_equal "arm64 ran on" $'ahoy\naarch64' "$(image_file "$image:latest" arm64 /result)"
expect_equal "RUN before USER is root" 0 "$(image_file "$image:latest" arm64 /uid)"

config=$(image_config "$image:latest" arm64)
expect_equal "architecture" arm64 "$(jq -r .architecture <<<"$config")"
expect_equal "user" nobody "$(jq -r .config.User <<<"$config")"
expect_equal "build argument" true "$(jq '.config.Env | any(. == "APP_VERSION=7")' <<<"$config")"
expect_equal "port" true "$(jq '.config.ExposedPorts | has("8080/tcp")' <<<"$config")"
expect_equal "health check" true "$(jq '.config.Healthcheck.Test == ["CMD-SHELL", "cat /result"]' <<<"$config")"
expect_equal "label" "$(git -C "$project" rev-parse HEAD)" \
  "$(jq -r '.config.Labels["org.opencontainers.image.revision"]' <<<"$config")"
expect_equal "as many layers as the history tells" \
  "$(jq '[.history[] | select(.empty_layer | not)] | length' <<<"$config")" "$(jq '.rootfs.diff_ids | length' <<<"$config")"

# As the original action does without `provenance:`, an attestation stands beside each platform.
expect_equal "attestations" 2 "$(registry_inspect --raw "docker://$image:latest" |
  jq '[.manifests[] | select(.annotations["vnd.docker.reference.type"] == "attestation-manifest")] | length')"
expect_equal "they name their images" true "$(registry_inspect --raw "docker://$image:latest" | jq '
  ([.manifests[] | select(.platform.os != "unknown").digest] | sort)
  == ([.manifests[] | .annotations["vnd.docker.reference.digest"] // empty] | sort)')"
