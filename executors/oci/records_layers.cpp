#include "executors/oci/records.h"
#include "executors/oci/records_json.h"
#include "executors/oci/store_db.h"

namespace drydock::oci {
namespace {

Result<Compression> compression_from(const std::string& name) {
  for (auto value : {Compression::none, Compression::gzip, Compression::zstd}) {
    if (name == name_of(value)) return value;
  }
  return make_error(ErrorCode::corrupted, "the store names a compression that is not known: " + name);
}

Result<std::vector<Digest>> contents_of(Database& database, const std::string& name) {
  std::vector<Digest> contents;
  Query query(database, "SELECT blob FROM image_blobs WHERE name=? ORDER BY blob");
  query.bind(name);
  for (;;) {
    DRYDOCK_ASSIGN(bool row, query.step());
    if (!row) return contents;
    DRYDOCK_ASSIGN(auto digest, Digest::parse(query.text(0)));
    contents.push_back(std::move(digest));
  }
}

Result<ImageRecord> image_from(Database& database, const Query& query) {
  ImageRecord image;
  image.name = query.text(0);
  DRYDOCK_ASSIGN(image.target, blob_from_row(query.text(1)));
  image.last_used = TimePoint(std::chrono::milliseconds(query.integer(2)));
  DRYDOCK_ASSIGN(image.contents, contents_of(database, image.name));
  return image;
}

}  // namespace

Status Records::put_layer(const Digest& diff_id, std::uint64_t tar_size, const std::vector<LayerForm>& forms) {
  auto& database = store_.database();
  Transaction transaction(database);
  DRYDOCK_TRY(transaction.begin());
  DRYDOCK_TRY(Query(database,
                    "INSERT INTO layers(diff_id, tar_size) VALUES(?1,?2) ON CONFLICT(diff_id) DO UPDATE SET "
                    "tar_size=max(tar_size, excluded.tar_size)")
                  .bind(diff_id.to_string()).bind(static_cast<std::int64_t>(tar_size)).run());
  for (const auto& form : forms) {
    DRYDOCK_TRY(Query(database,
                      "INSERT OR REPLACE INTO layer_forms(diff_id, blob, compression, info) VALUES(?,?,?,?)")
                    .bind(diff_id.to_string()).bind(form.blob.digest.to_string()).bind(name_of(form.compression))
                    .bind(to_row(form.blob)).run());
  }
  return transaction.commit();
}

Result<std::optional<LayerInfo>> Records::find_layer(const Digest& diff_id) {
  auto& database = store_.database();
  LayerInfo layer;
  layer.diff_id = diff_id;
  {
    Query query(database, "SELECT tar_size FROM layers WHERE diff_id=?");
    query.bind(diff_id.to_string());
    DRYDOCK_ASSIGN(bool row, query.step());
    if (!row) return std::optional<LayerInfo>();
    layer.tar_size = static_cast<std::uint64_t>(query.integer(0));
  }
  Query query(database, "SELECT compression, info FROM layer_forms WHERE diff_id=? ORDER BY blob");
  query.bind(diff_id.to_string());
  for (;;) {
    DRYDOCK_ASSIGN(bool row, query.step());
    if (!row) return std::optional(std::move(layer));
    LayerForm form;
    DRYDOCK_ASSIGN(form.compression, compression_from(query.text(0)));
    DRYDOCK_ASSIGN(form.blob, blob_from_row(query.text(1)));
    layer.forms.push_back(std::move(form));
  }
}

Result<std::optional<Digest>> Records::diff_id_of(const Digest& blob) {
  Query query(store_.database(), "SELECT diff_id FROM layer_forms WHERE blob=?");
  query.bind(blob.to_string());
  DRYDOCK_ASSIGN(bool row, query.step());
  if (!row) return std::optional<Digest>();
  DRYDOCK_ASSIGN(auto digest, Digest::parse(query.text(0)));
  return std::optional(std::move(digest));
}

Status Records::put_image(const ImageRecord& image) {
  auto& database = store_.database();
  Transaction transaction(database);
  DRYDOCK_TRY(transaction.begin());
  DRYDOCK_TRY(Query(database, "DELETE FROM image_blobs WHERE name=?").bind(image.name).run());
  DRYDOCK_TRY(Query(database, "INSERT OR REPLACE INTO images(name, target, info, last_used) VALUES(?,?,?,?)")
                  .bind(image.name).bind(image.target.digest.to_string()).bind(to_row(image.target)).bind(now_ms())
                  .run());
  auto contents = image.contents;
  contents.push_back(image.target.digest);
  for (const auto& blob : contents) {
    DRYDOCK_TRY(Query(database, "INSERT OR IGNORE INTO image_blobs(name, blob) VALUES(?,?)")
                    .bind(image.name).bind(blob.to_string()).run());
  }
  return transaction.commit();
}

Result<std::optional<ImageRecord>> Records::find_image(const std::string& name, const Lease* lease) {
  if (!lease) {
    DRYDOCK_ASSIGN(lease, store_.session());
  }
  auto& database = store_.database();
  Transaction transaction(database);
  DRYDOCK_TRY(transaction.begin());
  std::optional<ImageRecord> image;
  {
    Query query(database, "SELECT name, info, last_used FROM images WHERE name=?");
    query.bind(name);
    DRYDOCK_ASSIGN(bool row, query.step());
    if (!row) return image;
    DRYDOCK_ASSIGN(image, image_from(database, query));
  }
  for (const auto& blob : image->contents) DRYDOCK_TRY(lease->protect_blob(blob));
  DRYDOCK_TRY(Query(database, "UPDATE images SET last_used=? WHERE name=?").bind(now_ms()).bind(name).run());
  DRYDOCK_TRY(transaction.commit());
  return image;
}

Status Records::erase_image(const std::string& name) {
  auto& database = store_.database();
  Transaction transaction(database);
  DRYDOCK_TRY(transaction.begin());
  DRYDOCK_TRY(Query(database, "DELETE FROM image_blobs WHERE name=?").bind(name).run());
  DRYDOCK_TRY(Query(database, "DELETE FROM images WHERE name=?").bind(name).run());
  return transaction.commit();
}

Result<std::vector<ImageRecord>> Records::images() {
  auto& database = store_.database();
  Query query(database, "SELECT name, info, last_used FROM images ORDER BY name");
  std::vector<ImageRecord> images;
  for (;;) {
    DRYDOCK_ASSIGN(bool row, query.step());
    if (!row) return images;
    DRYDOCK_ASSIGN(auto image, image_from(database, query));
    images.push_back(std::move(image));
  }
}

Status Records::add_source(const Digest& blob, const RemoteSource& source) {
  return Query(store_.database(), "INSERT OR REPLACE INTO sources(blob, registry, repository, seen) VALUES(?,?,?,?)")
      .bind(blob.to_string()).bind(source.registry).bind(source.repository).bind(now_ms()).run();
}

Result<std::vector<RemoteSource>> Records::sources(const Digest& blob) {
  Query query(store_.database(),
              "SELECT registry, repository FROM sources WHERE blob=? ORDER BY seen DESC, registry, repository");
  query.bind(blob.to_string());
  std::vector<RemoteSource> sources;
  for (;;) {
    DRYDOCK_ASSIGN(bool row, query.step());
    if (!row) return sources;
    sources.push_back({query.text(0), query.text(1)});
  }
}

Status Records::forget_source(const Digest& blob, const RemoteSource& source) {
  return Query(store_.database(), "DELETE FROM sources WHERE blob=? AND registry=? AND repository=?")
      .bind(blob.to_string()).bind(source.registry).bind(source.repository).run();
}

}  // namespace drydock::oci
