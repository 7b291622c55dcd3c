#include "executors/oci/tar.h"

#include "executors/oci/tar_fields.h"

#include <algorithm>
#include <cstring>

namespace drydock::oci {
namespace {

// No real layer comes near; a hostile one must not make us allocate what it names.
constexpr std::uint64_t k_longest_text = 16u << 20;

bool checksum_holds(const char* header) {
  std::int64_t plain = 0, with_sign = 0;
  for (std::size_t i = 0; i < k_tar_block; ++i) {
    char c = i >= 148 && i < 156 ? ' ' : header[i];
    plain += static_cast<unsigned char>(c);
    with_sign += static_cast<signed char>(c);  // some old writers added signed bytes
  }
  auto stored = tar_number(header + 148, 8);
  return stored && (*stored == plain || *stored == with_sign);
}

Result<TarType> type_of(char flag, const std::string& path) {
  switch (flag) {
    case '0': case '\0': case '7': case 'S':
      return path.ends_with('/') ? TarType::directory : TarType::file;  // as version 7 wrote directories
    case '1': return TarType::hard_link;
    case '2': return TarType::symlink;
    case '3': return TarType::char_device;
    case '4': return TarType::block_device;
    case '5': case 'D': return TarType::directory;
    case '6': return TarType::fifo;
    default:
      return make_error(ErrorCode::unsupported,
                        "tar entry " + path + " has type '" + std::string(1, flag) + "', which no layer may have");
  }
}

Status read_fields(const char* header, TarEntry& entry) {
  struct Field {
    std::size_t at, size;
    const char* name;
    std::int64_t value = 0;
  };
  Field fields[] = {{100, 8, "mode"}, {108, 8, "uid"}, {116, 8, "gid"}, {124, 12, "size"}, {136, 12, "mtime"}};
  for (auto& field : fields) {
    auto value = tar_number(header + field.at, field.size);
    if (!value || (*value < 0 && field.at != 136)) return broken_tar(std::string("bad ") + field.name);
    field.value = *value;
  }
  entry.mode = static_cast<std::uint32_t>(fields[0].value) & 07777;
  entry.uid = static_cast<std::uint32_t>(fields[1].value);
  entry.gid = static_cast<std::uint32_t>(fields[2].value);
  entry.size = static_cast<std::uint64_t>(fields[3].value);
  entry.mtime = fields[4].value;
  if (header[156] == '3' || header[156] == '4') {
    entry.device_major = static_cast<std::uint32_t>(tar_number(header + 329, 8).value_or(0));
    entry.device_minor = static_cast<std::uint32_t>(tar_number(header + 337, 8).value_or(0));
  }
  return {};
}

std::string path_of(const char* header) {
  auto path = tar_string(header, 100);
  // GNU's own format keeps times where ustar has the prefix.
  bool ustar = std::memcmp(header + 257, "ustar\0", 6) == 0;
  auto prefix = ustar ? tar_string(header + 345, 155) : "";
  return prefix.empty() ? path : prefix + "/" + path;
}

}  // namespace

Result<bool> TarReader::block(char* buffer) {
  std::size_t have = 0;
  while (have < k_tar_block) {
    DRYDOCK_ASSIGN(auto count, source_(buffer + have, k_tar_block - have));
    if (count == 0) break;
    have += count;
  }
  if (have != 0 && have != k_tar_block) return broken_tar("it is cut off");
  return have == k_tar_block;
}

Status TarReader::exactly(char* buffer, std::size_t size) {
  while (size > 0) {
    DRYDOCK_ASSIGN(auto count, source_(buffer, size));
    if (count == 0) return broken_tar("it is cut off");
    buffer += count;
    size -= count;
  }
  return {};
}

Status TarReader::skip(std::uint64_t size) {
  char buffer[16 << 10];
  while (size > 0) {
    auto part = std::min<std::uint64_t>(size, sizeof buffer);
    DRYDOCK_TRY(exactly(buffer, part));
    size -= part;
  }
  return {};
}

Result<std::string> TarReader::text(std::uint64_t size, const char* what) {
  if (size > k_longest_text) return broken_tar(std::string(what) + " of " + std::to_string(size) + " bytes");
  std::string bytes(size, '\0');
  DRYDOCK_TRY(exactly(bytes.data(), bytes.size()));
  DRYDOCK_TRY(skip((k_tar_block - size % k_tar_block) % k_tar_block));
  return bytes;
}

Result<std::optional<TarEntry>> TarReader::next() {
  DRYDOCK_TRY(skip(stored_left_ + padding_));
  stored_left_ = padding_ = 0;
  Pax pax = global_;
  std::optional<std::string> long_path, long_link;
  char header[k_tar_block];
  for (;;) {
    if (ended_) return std::optional<TarEntry>();
    DRYDOCK_ASSIGN(bool more, block(header));
    if (!more || std::all_of(header, header + k_tar_block, [](char c) { return c == 0; })) {
      ended_ = true;
      return std::optional<TarEntry>();
    }
    if (!checksum_holds(header)) return broken_tar("wrong checksum of a header");
    char flag = header[156];
    if (flag != 'x' && flag != 'g' && flag != 'L' && flag != 'K' && flag != 'X') break;
    auto size = tar_number(header + 124, 12);
    if (!size || *size < 0) return broken_tar("bad size");
    auto bytes = static_cast<std::uint64_t>(*size);
    if (flag == 'x' || flag == 'X') {
      DRYDOCK_TRY(read_pax(bytes, pax));
    } else if (flag == 'g') {
      DRYDOCK_TRY(read_pax(bytes, global_));
      for (const auto& [name, value] : global_.values) pax.values.emplace(name, value);
    } else {
      DRYDOCK_ASSIGN(auto name, text(bytes, "a long name"));
      name.resize(std::min(name.size(), name.find('\0')));
      (flag == 'L' ? long_path : long_link) = std::move(name);
    }
  }

  TarEntry entry;
  entry.path = long_path ? *long_path : path_of(header);
  entry.link = long_link ? *long_link : tar_string(header + 157, 100);
  DRYDOCK_TRY(read_fields(header, entry));
  DRYDOCK_TRY(apply_pax(pax, entry));
  DRYDOCK_ASSIGN(entry.type, type_of(header[156], entry.path));
  extents_.clear();
  extent_ = 0;
  position_ = in_extent_ = 0;
  if (entry.type != TarType::file) entry.size = 0;
  stored_left_ = entry.size;
  padding_ = (k_tar_block - stored_left_ % k_tar_block) % k_tar_block;
  real_size_ = entry.size;
  DRYDOCK_ASSIGN(sparse_, sparse_header(header, pax, entry));
  if (entry.path.find('\0') != std::string::npos || entry.link.find('\0') != std::string::npos) {
    return broken_tar("a name with a zero byte");
  }
  return std::optional(std::move(entry));
}

Result<TarReader::Piece> TarReader::read(char* buffer, std::size_t size) {
  if (!sparse_) {
    auto part = std::min<std::uint64_t>(size, stored_left_);
    if (part == 0) return Piece{};
    DRYDOCK_ASSIGN(auto count, source_(buffer, part));
    if (count == 0) return broken_tar("it is cut off");
    stored_left_ -= count;
    return Piece{count, 0};
  }
  while (extent_ < extents_.size() && in_extent_ == extents_[extent_].second &&
         position_ >= extents_[extent_].first) {
    ++extent_;
    in_extent_ = 0;
  }
  auto next_data = extent_ < extents_.size() ? extents_[extent_].first + in_extent_ : real_size_;
  if (position_ < next_data) {
    auto hole = next_data - position_;
    position_ = next_data;
    return Piece{0, hole};
  }
  if (extent_ == extents_.size()) return Piece{};
  auto part = std::min<std::uint64_t>({size, stored_left_, extents_[extent_].second - in_extent_});
  if (part == 0) return broken_tar("a sparse file with too little content");
  DRYDOCK_ASSIGN(auto count, source_(buffer, part));
  if (count == 0) return broken_tar("it is cut off");
  stored_left_ -= count;
  in_extent_ += count;
  position_ += count;
  return Piece{count, 0};
}

Status TarReader::drain() {
  std::string buffer(64 << 10, '\0');
  for (;;) {
    DRYDOCK_ASSIGN(auto count, source_(buffer.data(), buffer.size()));
    if (count == 0) return {};
  }
}

}  // namespace drydock::oci
