# A small project as a GitHub user has it: a Dockerfile of two stages and a workflow that builds and pushes it.
# Source it.

# write_project FOLDER: a git repository with the project; sets $project.
write_project() {
  project=$1
  mkdir -p "$project/.github/workflows"
  write_dockerfile
  echo 'ahoy' >"$project/greeting"
  write_workflow
  commit_project
}

commit_project() {
  local git=(git -C "$project" -c user.name=Captain -c user.email=captain@example.org)
  if [[ ! -d $project/.git ]]; then
    git init --quiet --initial-branch main "$project"
    "${git[@]}" remote add origin https://github.com/team/app.git
  fi
  "${git[@]}" add --all
  "${git[@]}" commit --quiet --allow-empty --message "${1:-Say ahoy}"
}

write_dockerfile() {
  cat >"$project/Dockerfile" <<'END'
FROM busybox AS build
WORKDIR /src
COPY greeting ./
RUN uname -m >machine && cat greeting machine >result

FROM busybox
ARG VERSION=none
COPY --from=build /src/result /result
RUN id -u >/uid
ENV APP_VERSION=$VERSION
EXPOSE 8080
USER nobody
HEALTHCHECK CMD cat /result
CMD ["cat", "/result"]
END
}

# write_workflow: the usual form. Tests change it with sed.
write_workflow() {
  cat >"$project/.github/workflows/publish.yml" <<'END'
name: Publish
on:
  push:
    branches: [main]
  workflow_dispatch:

permissions:
  contents: read
  packages: write

jobs:
  publish:
    runs-on: ubuntu-latest
    env:
      IMAGE: ${{ vars.REGISTRY }}/team/app
    steps:
      - uses: actions/checkout@v4
      - uses: docker/setup-qemu-action@v3
      - uses: docker/setup-buildx-action@v3
      - name: Log in
        uses: docker/login-action@v3
        with:
          registry: ${{ vars.REGISTRY }}
          username: ${{ secrets.REGISTRY_USERNAME }}
          password: ${{ secrets.REGISTRY_PASSWORD }}
      - id: meta
        uses: docker/metadata-action@v5
        with:
          images: ${{ env.IMAGE }}
          tags: |
            type=ref,event=branch
            type=raw,value=latest
      - id: build
        uses: docker/build-push-action@v5
        with:
          context: .
          platforms: linux/amd64,linux/arm64
          push: true
          tags: ${{ steps.meta.outputs.tags }}
          labels: ${{ steps.meta.outputs.labels }}
          build-args: VERSION=7
          cache-from: type=registry,ref=${{ env.IMAGE }}:buildcache
          cache-to: type=registry,ref=${{ env.IMAGE }}:buildcache,mode=max
      - name: Digest
        run: echo "pushed=${{ steps.build.outputs.digest }}"
END
}
