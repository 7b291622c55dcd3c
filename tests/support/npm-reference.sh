# Sourced by the suites that compare with one of GitHub's npm packages.

# npm_reference SUITE SOURCE_FOLDER BUILD_FOLDER PACKAGE: what SOURCE_FOLDER/package-lock.json names, in
# BUILD_FOLDER/node_modules. Ends with status 77 (skipped) and the reason where node, npm or the package cannot be had.
npm_reference() {
  local suite=$1 source_folder=$2 build_folder=$3 package=$4
  skip() { echo "$suite: skipped, $1"; exit 77; }

  command -v node >/dev/null || skip "node is not installed"
  command -v npm >/dev/null || skip "npm is not installed"
  (( $(node -p 'parseInt(process.versions.node)') >= 20 )) || skip "node is older than 20"

  mkdir -p "$build_folder"
  if ! cmp -s "$source_folder/package-lock.json" "$build_folder/package-lock.json" ||
     [[ ! -d $build_folder/node_modules/$package ]]; then
    cp "$source_folder/package.json" "$source_folder/package-lock.json" "$build_folder/"
    if ! (cd "$build_folder" && npm ci --ignore-scripts --no-audit --no-fund >npm.log 2>&1); then
      rm -f "$build_folder/package-lock.json"
      skip "npm ci failed: $(tail -n 1 "$build_folder/npm.log")"
    fi
  fi
}
