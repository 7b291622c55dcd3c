#!/bin/bash
# actions/checkout of another repository over https, from a server whose certificate authority only SSL_CERT_FILE names,
# with a token; and what is said without the authority, without the token, and of a repository that is not there.
. "$(dirname "$0")/../support/assert.sh"
begin_jobs
command -v node >/dev/null || skip "no node"

git init --quiet --initial-branch main "$work/lib"
echo 'of the library' >"$work/lib/lib.txt"
git -C "$work/lib" add --all
git -C "$work/lib" -c user.name=Captain -c user.email=captain@example.org commit --quiet --message Begin
mkdir -p "$work/forge/team"
git clone --quiet --bare "$work/lib" "$work/forge/team/lib"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=authority \
  -keyout "$work/authority.key" -out "$work/authority.crt" 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost \
  -keyout "$work/server.key" -out "$work/server.csr" 2>/dev/null
openssl x509 -req -in "$work/server.csr" -CA "$work/authority.crt" -CAkey "$work/authority.key" -CAcreateserial -days 2 \
  -extfile <(echo subjectAltName=DNS:localhost) -out "$work/server.crt" 2>/dev/null
node "$support/git-https-server.mjs" "$work/forge" "$work/server.key" "$work/server.crt" t0p-secret \
  >"$work/port" &
server=$!
trap 'kill "$server" 2>/dev/null && wait "$server" 2>/dev/null || true; take_down' EXIT
for _ in {1..100}; do [[ -s $work/port ]] && break; sleep 0.05; done
[[ -s $work/port ]] || fail "the server does not start"
url=https://localhost:$(<"$work/port")

workflow fetch <<END
on: workflow_dispatch
jobs:
  fetch:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with:
          github-server-url: $url
          repository: team/\${{ vars.NAME }}
          token: \${{ secrets.TOKEN }}
          path: lib
      - run: cat lib/lib.txt && git -C lib log --format=%s
END
commit_all
# fetch NAME TOKEN [CERTIFICATES]
fetch() { SSL_CERT_FILE=${3:-} dock_run fetch -e workflow_dispatch --var "NAME=$1" -s "TOKEN=$2"; }

fetch lib t0p-secret "$work/authority.crt"
expect_status 0
expect_text 'of the library'
expect_text '\bBegin$'
expect_no_text t0p-secret

# An authority that nobody named.
fetch lib t0p-secret
expect_status 5
expect_text "fetching $url/team/lib: .*certificate.*SSL_CERT_FILE"
fetch lib wr0ng-token "$work/authority.crt"
expect_status 5
expect_text "fetching $url/team/lib: the server refuses us.*check the 'token' input"
fetch nowhere t0p-secret "$work/authority.crt"
expect_status 5
expect_text "fetching $url/team/nowhere"
fetch lib t0p-secret "$work/none.crt"
expect_status 4
expect_text 'check SSL_CERT_FILE'

# Without SSL_CERT_FILE the machine's own authorities count, read when they are needed.
if [[ $(id -u) == 0 && -f /etc/ssl/certs/ca-certificates.crt ]]; then
  authority=$work/authority.crt real_drydock=$drydock
  export authority real_drydock
  on_machine_that_trusts() {
    unshare --mount --propagation private bash -c '
      mount --bind "$authority" /etc/ssl/certs/ca-certificates.crt && exec "$real_drydock" "$@"' - "$@"
  }
  drydock=on_machine_that_trusts
  fetch lib t0p-secret
  expect_status 0
  expect_text 'of the library'
fi
