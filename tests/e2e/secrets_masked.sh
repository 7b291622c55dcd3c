#!/bin/bash
# A secret shows in no output, in none of its usual disguises, in no layer and no history.
. "$(dirname "$0")/../support/assert.sh"
begin
write_project "$work/project"
encoded=$(printf '%s' "$password" | base64 -w0)
cat >>"$project/.github/workflows/publish.yml" <<'END'
      - name: Talkative
        env:
          WORD: ${{ secrets.REGISTRY_PASSWORD }}
        run: |
          echo "plain: $WORD"
          printf '%s' "$WORD" | head -c 5; sleep 0.1; printf '%s' "$WORD" | tail -c +6; echo
          printf '%s' "$WORD" | base64 -w0; echo
          echo "error: $WORD" >&2
          echo "word=$WORD" >>"$GITHUB_OUTPUT"
          echo "masked step ran"
END
commit_project

for progress in plain json; do
  run_workflow
  expect_status 0
  expect_text "masked step ran"
  expect_text 'plain: \*\*\*'
  expect_no_text "$password"
  expect_no_text "$encoded"
done
! grep -rqF -- "$password" "$DRYDOCK_HOME" || fail "the store holds the password"

# --mount=type=secret reaches the step and nothing else.
log_in
cat >"$project/Dockerfile" <<'END'
FROM busybox
RUN --mount=type=secret,id=word wc -c </run/secrets/word >/length
END
printf '%s' "$password" >"$work/word"
dock build --secret "id=word,src=$work/word" --push -t "$image:secret" "$project"
expect_status 0
expect_equal "the secret was there" "${#password}" "$(image_file "$image:secret" amd64 /length)"
! image_config "$image:secret" amd64 | grep -qF "$password" || fail "the history holds the secret"
! tar -tf "$work/pulled.amd64/$(jq -r '.layers[-1].digest' "$work/pulled.amd64/manifest.json" | cut -d: -f2)" |
  grep -q secrets || fail "a layer holds the secret's mount point"
