#!/bin/bash
# A registry that does not answer: retried for a moment, then its own exit status.
. "$(dirname "$0")/../support/assert.sh"
begin
log_in
write_project "$work/project"
old_tag
down=127.0.0.1:1

dock build --push -t "$down/team/app:latest" "$project"
expect_status 5
expect_text "$down"
cd "$project"
REGISTRY_USERNAME=$user REGISTRY_PASSWORD=$password dock run -s REGISTRY_USERNAME -s REGISTRY_PASSWORD --var "REGISTRY=$down" --progress plain
expect_status 5
expect_text "$down"

# It goes away in the middle: the base image is at hand, the push finds nobody.
sed -i 's/^RUN id -u/RUN sleep 3 \&\& id -u/' "$project/Dockerfile"
commit_project "Take a moment"
(sleep 1.5; kill "$registry_pid") &
dock build --push -t "$image:latest" "$project"
wait $!
expect_status 5
expect_text "$registry"
registry_stop "$registry_pid"
registry_start "$work/registry" "$user" "$password"
image=$REGISTRY_HOST/team/app
expect_old_tag
