# Writes OCI image layouts with plain tools, so that the base images of demo and tests owe nothing to drydock.
# Source it. A layout is a folder; images are added to its index under a name, one manifest for each platform.

# oci_blob LAYOUT FILE: moves FILE into the layout, prints "sha256:<hex> <size>".
oci_blob() {
  local digest size
  digest=$(sha256sum "$2" | cut -d' ' -f1)
  size=$(stat -c %s "$2")
  mkdir -p "$1/blobs/sha256"
  mv "$2" "$1/blobs/sha256/$digest"
  echo "sha256:$digest $size"
}

# oci_layer LAYOUT TAR: compresses TAR into the layout, prints "<diff id> <digest> <size>". TAR is removed.
oci_layer() {
  local diff_id
  diff_id=sha256:$(sha256sum "$2" | cut -d' ' -f1)
  gzip -n -6 "$2"
  echo "$diff_id $(oci_blob "$1" "$2.gz")"
}

# oci_manifest LAYOUT PLATFORM CONFIG LAYER...: adds one platform's image. CONFIG is the JSON of the config's
# "config" member, each LAYER a line of oci_layer followed by " <text for the history>".
# Prints the descriptor for an index.
oci_manifest() {
  local layout=$1 platform=$2 config=$3 layers history config_blob manifest_blob
  local os arch variant work
  IFS=/ read -r os arch variant <<<"$platform"
  if [[ $arch == arm64 && -z $variant ]]; then variant=v8; fi
  shift 3
  work=$(mktemp -d "$layout/tmp.XXXXXX")
  layers=$(printf '%s\n' "$@" | jq -Rn '[inputs | capture("^(?<diff>\\S+) (?<digest>\\S+) (?<size>\\d+) (?<text>.*)$")]')
  history=$(jq '[.[] | {created: "2025-01-01T00:00:00Z", created_by: .text}]' <<<"$layers")

  jq -nc --arg os "$os" --arg arch "$arch" --arg variant "$variant" --argjson config "$config" \
    --argjson layers "$layers" --argjson history "$history" '
    {created: "2025-01-01T00:00:00Z", architecture: $arch, os: $os}
    + (if $variant == "" then {} else {variant: $variant} end)
    + {config: $config, rootfs: {type: "layers", diff_ids: [$layers[].diff]}, history: $history}' >"$work/config"
  config_blob=$(oci_blob "$layout" "$work/config")

  jq -nc --arg config "$config_blob" --argjson layers "$layers" '
    ($config | split(" ")) as $c
    | {schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json",
       config: {mediaType: "application/vnd.oci.image.config.v1+json", digest: $c[0], size: ($c[1] | tonumber)},
       layers: [$layers[] | {mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest, size: (.size | tonumber)}]}
    ' >"$work/manifest"
  manifest_blob=$(oci_blob "$layout" "$work/manifest")
  rmdir "$work"

  jq -nc --arg blob "$manifest_blob" --arg os "$os" --arg arch "$arch" --arg variant "$variant" '
    ($blob | split(" ")) as $b
    | {mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $b[0], size: ($b[1] | tonumber),
       platform: ({os: $os, architecture: $arch} + (if $variant == "" then {} else {variant: $variant} end))}'
}

# oci_index LAYOUT NAME DESCRIPTOR...: makes the index over platforms and names it in the layout.
oci_index() {
  local layout=$1 name=$2 index_blob work
  shift 2
  work=$(mktemp -d "$layout/tmp.XXXXXX")
  printf '%s\n' "$@" | jq -sc '{schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: .}' \
    >"$work/index"
  index_blob=$(oci_blob "$layout" "$work/index")
  rmdir "$work"
  echo '{"imageLayoutVersion":"1.0.0"}' >"$layout/oci-layout"
  [[ -e $layout/index.json ]] || echo '{"schemaVersion":2,"manifests":[]}' >"$layout/index.json"
  jq -c --arg blob "$index_blob" --arg name "$name" '
    ($blob | split(" ")) as $b
    | .manifests |= map(select(.annotations["org.opencontainers.image.ref.name"] != $name))
    | .manifests += [{mediaType: "application/vnd.oci.image.index.v1+json", digest: $b[0], size: ($b[1] | tonumber),
                      annotations: {"org.opencontainers.image.ref.name": $name}}]' \
    "$layout/index.json" >"$layout/index.json.new"
  mv "$layout/index.json.new" "$layout/index.json"
}
