#include "runner/services/blob_service.h"

#include <sys/stat.h>

#include <charconv>

#include "runner/services/block_list.h"
#include "runner/services/piece_reader.h"
#include "runner/services/wire.h"

namespace drydock::runner {
namespace {

constexpr std::string_view k_root = "/blob/";
constexpr std::size_t k_most_list = 16 << 20;
constexpr const char* k_version = "2024-11-04";

/// What every answer of the blob service carries.
HttpReply blob_reply(int status) {
  const auto now = http_date(std::chrono::system_clock::now());
  return {.status = status,
          .headers = {{"x-ms-version", k_version},
                      {"x-ms-request-id", random_name(16).ok() ? *random_name(16) : "0"},
                      {"Last-Modified", now},
                      {"ETag", "\"0x" + std::to_string(unix_seconds(std::chrono::system_clock::now())) + "\""}},
          .body = {},
          .file = {}};
}

HttpReply blob_error_reply(const Error& error) {
  switch (error.code) {
    case ErrorCode::permission: return blob_error(413, "RequestBodyTooLarge", error.message);
    case ErrorCode::invalid_input: return blob_error(400, "InvalidInput", error.message);
    case ErrorCode::timeout: return blob_error(503, "ServerBusy", error.message);
    case ErrorCode::not_found: return blob_error(404, "BlobNotFound", error.message);
    default: return blob_error(500, "InternalError", error.to_string());
  }
}

HttpReply created() {
  auto reply = blob_reply(201);
  reply.headers.emplace_back("x-ms-request-server-encrypted", "false");
  return reply;
}

class BlockListReader : public BodyReader {
 public:
  explicit BlockListReader(std::shared_ptr<Pending> pending) : pending_(std::move(pending)) {}
  std::optional<HttpReply> take(std::string_view piece) override {
    if (text_.size() + piece.size() > k_most_list) return blob_error(413, "RequestBodyTooLarge", "the block list is too long");
    text_ += piece;
    return std::nullopt;
  }
  HttpReply finish() override {
    const auto ids = parse_block_list(text_);
    if (!ids) return blob_error(400, "InvalidXmlDocument", ids.error().message);
    const auto committed = pending_->upload->commit_blocks(*ids);
    if (committed) return created();
    const Error error = Status(committed).error();
    return error.code == ErrorCode::invalid_input ? blob_error(400, "InvalidBlockList", error.message) : blob_error_reply(error);
  }

 private:
  std::shared_ptr<Pending> pending_;
  std::string text_;
};

struct Range {
  std::uint64_t offset = 0, length = 0;
  bool partial = false;
};

/// "bytes=5-9", "bytes=5-", "bytes=-5"; anything else is taken for the whole, as RFC 9110 allows. Nothing when it
/// lies beyond the end.
std::optional<Range> range_of(const HttpCall& call, std::uint64_t size) {
  auto text = call.header("x-ms-range");
  if (text.empty()) text = call.header("range");
  const Range whole{0, size, false};
  if (!text.starts_with("bytes=")) return whole;
  const char *at = text.data() + 6, *end = text.data() + text.size();
  std::uint64_t first = 0, last = 0;
  if (at != end && *at == '-') {
    if (std::from_chars(at + 1, end, last).ptr != end || last == 0) return whole;
    last = std::min(last, size);
    return size == 0 ? std::nullopt : std::optional(Range{size - last, last, true});
  }
  const auto read = std::from_chars(at, end, first);
  if (read.ec != std::errc() || read.ptr == end || *read.ptr != '-') return whole;
  last = size == 0 ? 0 : size - 1;
  if (read.ptr + 1 != end) {
    std::uint64_t told = 0;
    if (std::from_chars(read.ptr + 1, end, told).ptr != end || told < first) return whole;
    last = std::min(last, told);
  }
  if (first >= size) return std::nullopt;
  return Range{first, last - first + 1, true};
}

HttpReply content(const HttpCall& call, OwnedFd file, const std::string& type) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return blob_error_reply(errno_error("reading the blob", errno));
  const auto size = static_cast<std::uint64_t>(status.st_size);
  const auto range = range_of(call, size);
  if (!range) {
    auto reply = blob_error(416, "InvalidRange", "the blob has " + std::to_string(size) + " bytes");
    reply.headers.emplace_back("Content-Range", "bytes */" + std::to_string(size));
    return reply;
  }
  auto reply = blob_reply(range->partial ? 206 : 200);
  reply.headers.emplace_back("Content-Type", type);
  reply.headers.emplace_back("Accept-Ranges", "bytes");
  reply.headers.emplace_back("x-ms-blob-type", "BlockBlob");
  if (range->partial) {
    reply.headers.emplace_back("Content-Range", "bytes " + std::to_string(range->offset) + "-" +
                                                    std::to_string(range->offset + range->length - 1) + "/" + std::to_string(size));
  }
  reply.file = FileBody{std::move(file), range->offset, range->length};
  return reply;
}

/// RFC 5987, with a fallback for those that know only plain file names.
std::string disposition(const std::string& name) {
  std::string plain, encoded;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    const bool safe = std::isalnum(byte) != 0 || c == '-' || c == '.' || c == '_';
    plain += safe || c == ' ' ? c : '_';
    encoded += safe ? std::string(1, c) : "%" + hex(std::string_view(&c, 1));
  }
  return "attachment; filename=\"" + plain + "\"; filename*=UTF-8''" + encoded;
}

std::int64_t number(const std::string& text) {
  std::int64_t value = -1;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failure == std::errc() && end == text.data() + text.size() ? value : -1;
}

}  // namespace

CallAnswer BlobService::call(const HttpCall& call) {
  const bool reads = call.method == "GET" || call.method == "HEAD";
  const auto wanted = reads ? BlobAccess::read : BlobAccess::write;
  const auto signature = state_.key().check_path(call.path, call.parameter("sp"), call.parameter("se"), call.parameter("sig"),
                                                 wanted, std::chrono::system_clock::now());
  if (!signature) return blob_error(403, "AuthenticationFailed", Status(signature).error().message);
  const auto kind_end = call.path.find('/', k_root.size());
  const auto kind = call.path.substr(k_root.size(), kind_end - k_root.size());
  const auto name = call.path.substr(kind_end + 1);
  if (reads && kind == "artifact") return artifact(call, name);
  if (reads && kind == "cache") return cache(call, name);
  const auto pending = kind == "upload" ? state_.pending(name) : nullptr;
  if (!pending) return blob_error(404, "BlobNotFound", "there is no such upload");
  if (call.method == "PUT") return put(call, pending);
  return blob_error(405, "UnsupportedHttpVerb", call.method + " is not served");
}

CallAnswer BlobService::put(const HttpCall& call, const std::shared_ptr<Pending>& pending) {
  const auto what = call.parameter("comp");
  if (what == "blocklist") return put_block_list(pending);
  if (!what.empty() && what != "block") return blob_error(400, "InvalidQueryParameterValue", "comp=" + what + " is not served");
  const auto size = call.content_length();
  if (!size) return blob_error(411, "MissingContentLengthHeader", "Content-Length is required");
  if (what.empty()) {
    if (call.header("x-ms-blob-type") != "BlockBlob") return blob_error(400, "InvalidHeaderValue", "x-ms-blob-type must be BlockBlob");
    auto piece = pending->upload->whole(*size);
    if (!piece) return blob_error_reply(piece.error());
    return std::make_unique<PieceReader>(std::move(*piece), &blob_error_reply, &created);
  }
  const auto id = call.parameter("blockid");
  constexpr std::size_t k_longest_id = 256;
  if (id.empty() || id.size() > k_longest_id) return blob_error(400, "InvalidQueryParameterValue", "blockid is missing or too long");
  auto piece = pending->upload->block(id, *size);
  if (!piece) return blob_error_reply(piece.error());
  return std::make_unique<PieceReader>(std::move(*piece), &blob_error_reply, &created);
}

CallAnswer BlobService::put_block_list(const std::shared_ptr<Pending>& pending) {
  return std::make_unique<BlockListReader>(pending);
}

HttpReply BlobService::artifact(const HttpCall& call, const std::string& id) {
  const auto found = state_.artifacts().find(number(id));
  if (!found) return blob_error_reply(found.error());
  if (!*found) return blob_error(404, "BlobNotFound", "there is no such artifact");
  auto file = state_.artifacts().open(**found);
  if (!file) return blob_error_reply(file.error());
  auto reply = content(call, std::move(*file), (*found)->mime);
  const bool zip = (*found)->mime == "application/zip" && !(*found)->name.ends_with(".zip");
  reply.headers.emplace_back("Content-Disposition", disposition(zip ? (*found)->name + ".zip" : (*found)->name));
  return reply;
}

HttpReply BlobService::cache(const HttpCall& call, const std::string& id) {
  auto file = state_.caches().open(number(id));
  if (!file) return blob_error_reply(file.error());
  return content(call, std::move(*file), "application/octet-stream");
}

}  // namespace drydock::runner
