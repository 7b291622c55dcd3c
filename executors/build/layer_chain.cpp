#include "executors/build/layer_chain.h"

#include <algorithm>
#include <thread>

#include "executors/oci/layer.h"

namespace drydock::build {

namespace {

/// One vertex for each download, since that is what a person waits for.
Status fetch_from(Engine& engine, const oci::RemoteSource& source, const oci::BlobInfo& blob, Vertex& vertex) {
  DRYDOCK_ASSIGN(auto writer, engine.store->write_blob());
  oci::Reference repository;
  repository.domain = source.registry;
  repository.repository = source.repository;
  std::uint64_t done = 0;
  const auto sink = [&](std::string_view piece) -> Status {
    done += piece.size();
    vertex.progress(static_cast<std::int64_t>(done), static_cast<std::int64_t>(blob.size));
    return writer.write(piece);
  };
  DRYDOCK_TRY(engine.registry->get_blob(repository, {blob.digest, blob.size}, sink, engine.stop.get_token()));
  DRYDOCK_TRY(writer.commit(blob.digest));
  return {};
}

Status unpack_layer(Engine& engine, LayerRef& layer, const std::optional<oci::SnapshotId>& parent,
                    const std::vector<std::filesystem::path>& lower, const std::optional<oci::Digest>& chain) {
  if (chain) {
    DRYDOCK_ASSIGN(const auto existing, engine.snapshots->find_by_chain(*chain));
    if (existing) {
      layer.snapshot = *existing;
      return {};
    }
  }
  DRYDOCK_TRY(ensure_blob(engine, layer));
  Vertex vertex(engine.scope, {engine.new_id("v"), {}, "unpack " + std::string(layer.blob->digest.short_hex()),
                               Execution::none, {}});
  vertex.missed("first use of this layer here");
  DRYDOCK_ASSIGN(const auto snapshot, engine.snapshots->prepare(parent));
  oci::ApplyOptions options;
  options.format = engine.snapshots->space().format;
  for (const auto& directory : lower) options.lower.push_back(directory.string());
  options.expected_blob = layer.blob->digest;
  options.expected_diff_id = layer.diff_id;
  options.stop = engine.stop.get_token();
  auto applied = oci::apply_layer(engine.store->blob_path(layer.blob->digest), layer.blob->media_type, snapshot.fs,
                                  options);
  if (!applied.ok()) {
    (void)engine.snapshots->abandon(snapshot.id).ok();
    vertex.failed(applied.error().message);
    return std::move(applied).error().while_("unpacking layer " + layer.blob->digest.to_string());
  }
  layer.diff_id = applied->diff_id;
  DRYDOCK_ASSIGN(layer.snapshot, engine.snapshots->commit(snapshot.id, layer.diff_id, chain));
  vertex.succeeded();
  return {};
}

/// Starts all downloads of a chain at once; unpacking then goes bottom up.
void prefetch_blobs(Engine& engine, const Chain& chain) {
  std::vector<std::thread> threads;
  for (const auto& layer : chain) {
    bool wanted = false;
    {
      const std::lock_guard lock(layer->mutex);
      wanted = !layer->snapshot && layer->blob && !engine.store->has_blob(layer->blob->digest);
    }
    if (wanted) {
      threads.emplace_back([&engine, layer] {
        const std::lock_guard lock(layer->mutex);
        (void)ensure_blob(engine, *layer).ok();  // the error comes again, and is reported, when it is unpacked
      });
    }
  }
  for (auto& thread : threads) thread.join();
}

bool any_remote(const Chain& chain) {
  return std::any_of(chain.begin(), chain.end(), [](const LayerPtr& layer) {
    const std::lock_guard lock(layer->mutex);
    return !layer->snapshot.has_value();
  });
}

Status pack_layer_of(Engine& engine, LayerRef& layer, const std::vector<std::string>& lower,
                     const oci::CompressOptions& compress) {
  DRYDOCK_TRY(engine.want_execution());
  Vertex vertex(engine.scope, {engine.new_id("v"), {}, "pack " + layer.description, Execution::none, {}});
  oci::DiffOptions options;
  options.format = engine.snapshots->space().format;
  options.stop = engine.stop.get_token();
  auto packed = oci::diff_to_layer(*engine.store, layer.snapshot->fs, lower, options, compress);
  if (!packed.ok()) {
    vertex.failed(packed.error().message);
    return std::move(packed).error().while_("packing the layer of " + layer.description);
  }
  layer.diff_id = packed->diff_id;
  layer.blob = packed->blob;
  layer.empty = packed->entries == 0;
  DRYDOCK_TRY(engine.snapshots->set_diff(layer.snapshot->id, packed->diff_id));
  if (layer.key) {
    oci::CacheRecord record;
    record.key = *layer.key;
    record.kind = layer.empty ? "empty" : "layer";
    record.description = layer.description;
    record.snapshot = layer.snapshot->id;
    record.diff_id = layer.diff_id;
    record.blob = layer.blob;
    record.created = layer.created;
    DRYDOCK_TRY(engine.records->put(record));
  }
  vertex.succeeded();
  return {};
}

}  // namespace

oci::Digest chain_id(const std::optional<oci::Digest>& parent, const oci::Digest& diff_id) {
  if (!parent) return diff_id;
  return oci::digest_of(parent->to_string() + " " + diff_id.to_string());
}

Status ensure_blob(Engine& engine, LayerRef& layer) {
  if (!layer.blob) return make_error(ErrorCode::internal, "a layer without a blob was asked for its bytes");
  if (engine.store->has_blob(layer.blob->digest)) return {};
  Error last = make_error(ErrorCode::not_found, "layer " + layer.blob->digest.to_string() +
                                                    " is neither here nor in a registry known to have it",
                          "run once with --no-cache");
  for (const auto& source : layer.sources) {
    Vertex vertex(engine.scope, {engine.new_id("v"), {},
                                 "pull " + std::string(layer.blob->digest.short_hex()) + " from " + source.registry +
                                     "/" + source.repository,
                                 Execution::none, {}});
    auto fetched = fetch_from(engine, source, *layer.blob, vertex);
    if (fetched.ok()) {
      vertex.succeeded();
      return {};
    }
    if (fetched.error().code == ErrorCode::cancelled) return fetched;
    vertex.failed(fetched.error().message);
    last = std::move(fetched).error().while_("pulling layer " + layer.blob->digest.to_string());
  }
  return last;
}

Result<std::vector<std::filesystem::path>> unpack_chain(Engine& engine, const Chain& chain) {
  if (chain.empty()) return std::vector<std::filesystem::path>{};
  DRYDOCK_TRY(engine.want_execution());
  if (any_remote(chain)) prefetch_blobs(engine, chain);
  std::vector<std::filesystem::path> directories;  // topmost first
  std::optional<oci::Digest> identity;
  bool identified = true;
  std::optional<oci::SnapshotId> parent;
  for (const auto& layer : chain) {
    const std::lock_guard lock(layer->mutex);
    identified = identified && layer->diff_id;
    if (identified) identity = chain_id(identity, *layer->diff_id);
    if (!layer->snapshot) {
      DRYDOCK_TRY(unpack_layer(engine, *layer, parent, directories,
                               identified ? identity : std::optional<oci::Digest>{}));
      if (layer->key) {
        oci::CacheRecord record;
        record.key = *layer->key;
        record.kind = "layer";
        record.description = layer->description;
        record.snapshot = layer->snapshot->id;
        record.diff_id = layer->diff_id;
        record.blob = layer->blob;
        record.created = layer->created;
        DRYDOCK_TRY(engine.records->put(record));
      }
    }
    parent = layer->snapshot->id;
    directories.insert(directories.begin(), layer->snapshot->fs);
  }
  return directories;
}

std::optional<oci::SnapshotId> parent_snapshot(const Chain& chain) {
  if (chain.empty()) return std::nullopt;
  const std::lock_guard lock(chain.back()->mutex);
  return chain.back()->snapshot ? std::optional(chain.back()->snapshot->id) : std::nullopt;
}

Result<Chain> pack_chain(Engine& engine, const Chain& chain, const oci::CompressOptions& compress) {
  Chain kept;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    auto& layer = *chain[i];
    bool packed = false;
    {
      const std::lock_guard lock(layer.mutex);
      packed = layer.blob.has_value() && layer.diff_id.has_value();
    }
    if (!packed) {
      // The layers below are needed as directories, to tell what this one changes.
      DRYDOCK_ASSIGN(const auto lower, unpack_chain(engine, Chain(chain.begin(), chain.begin() + static_cast<long>(i))));
      std::vector<std::string> names;
      for (const auto& directory : lower) names.push_back(directory.string());
      const std::lock_guard lock(layer.mutex);
      if (!layer.blob || !layer.diff_id) DRYDOCK_TRY(pack_layer_of(engine, layer, names, compress));
    }
    const std::lock_guard lock(layer.mutex);
    if (!layer.empty) kept.push_back(chain[i]);
  }
  return kept;
}

}  // namespace drydock::build
