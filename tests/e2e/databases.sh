#!/bin/bash
# PostgreSQL and Redis from Debian's packages as services: healthy before the first step, queried by name from a
# container and by port from the host.
. "$(dirname "$0")/../support/assert.sh"
. "$support/containers.sh"
begin
needs_job_network
databases_mirror || skip "no image of the databases can be made here"
registry_start "$MIRROR_STORAGE" readonly
configure
printf 'registries:\n  docker.io: { mirrors: ["http://%s", "http://%s"] }\n' "$REGISTRY_HOST" "$mirror" >"$DRYDOCK_CONFIG"
write_workflow_file <<'END'
on: push
jobs:
  contained:
    runs-on: ubuntu-latest
    container: { image: databases, env: { PGPASSWORD: tide } }
    services: &services
      postgres:
        image: databases
        command: postgres
        env: { POSTGRES_PASSWORD: tide }
        ports: [5432]
        options: >-
          --health-cmd "pg_isready -h localhost" --health-interval 1s --health-timeout 5s --health-retries 60
      redis:
        image: databases
        command: redis
        ports: [6379]
        options: --health-cmd "redis-cli ping" --health-interval 1s --health-timeout 5s --health-retries 30
    outputs:
      seen: ${{ steps.ask.outputs.seen }}
    steps:
      - id: ask
        run: |
          redis-cli -h redis set harbour quay >/dev/null
          echo "seen=$(psql -h postgres -U postgres -Atc 'select 6*7') $(redis-cli -h redis get harbour)" >>"$GITHUB_OUTPUT"
  beside:
    runs-on: ubuntu-latest
    services: *services
    outputs:
      seen: ${{ steps.ask.outputs.seen }}
    steps:
      - id: ask
        shell: bash
        run: |
          exec 3<>/dev/tcp/127.0.0.1/${{ job.services.redis.ports['6379'] }}
          printf 'PING\r\n' >&3 && read -r answer <&3
          # A request for TLS, which this server answers with one letter.
          exec 4<>/dev/tcp/localhost/${{ job.services.postgres.ports['5432'] }}
          printf '\0\0\0\10\4\322\26\57' >&4 && letter=$(head -c1 <&4)
          echo "seen=${answer%$'\r'} $letter" >>"$GITHUB_OUTPUT"
END
run_jobs
expect_status 0
expect_equal "from a container" "42 quay" "$(job_output contained seen)"
[[ $(job_output beside seen) =~ ^\+PONG\ [NS]$ ]] || fail "by port from the host: $(job_output beside seen)"
expect_equal "what remains" "" "$(remains "$DRYDOCK_HOME")"
