#include "executors/oci/tar.h"
#include "executors/base/base64.h"
#include "executors/oci/tar_fields.h"

#include <algorithm>
#include <cstring>

namespace drydock::oci {
namespace {

constexpr std::string_view k_schily = "SCHILY.xattr.";
constexpr std::string_view k_libarchive = "LIBARCHIVE.xattr.";

std::string value_of(const std::map<std::string, std::string>& values, const char* name) {
  auto found = values.find(name);
  return found == values.end() ? "" : found->second;
}

}  // namespace

Status TarReader::read_pax(std::uint64_t size, Pax& pax) {
  DRYDOCK_ASSIGN(auto bytes, text(size, "a PAX header"));
  std::string_view rest = bytes;
  std::uint64_t sparse_offset = 0;
  bool offset_known = false;
  while (!rest.empty() && rest[0] != '\0') {
    auto blank = rest.find(' ');
    auto length = pax_number(rest.substr(0, blank));
    if (blank == std::string_view::npos || !length || *length > rest.size() || *length < blank + 3 ||
        rest[*length - 1] != '\n') {
      return broken_tar("bad PAX record");
    }
    auto record = rest.substr(blank + 1, *length - blank - 2);
    rest.remove_prefix(*length);
    auto equals = record.find('=');
    if (equals == std::string_view::npos) return broken_tar("bad PAX record");
    std::string name(record.substr(0, equals)), value(record.substr(equals + 1));
    if (name.starts_with(k_schily)) {
      pax.xattrs[name.substr(k_schily.size())] = value;
    } else if (name.starts_with(k_libarchive)) {
      if (auto plain = decode_base64(value)) {
        pax.xattrs.emplace(percent_decoded(name.substr(k_libarchive.size())), *plain);
      }
    } else if (name == "GNU.sparse.offset") {  // version 0.0 repeats offset and numbytes
      auto offset = pax_number(value);
      offset_known = offset.has_value();
      sparse_offset = offset.value_or(0);
    } else if (name == "GNU.sparse.numbytes") {
      auto count = pax_number(value);
      if (!offset_known || !count) return broken_tar("bad sparse map");
      pax.sparse.emplace_back(sparse_offset, *count);
      offset_known = false;
    } else {
      pax.values[name] = value;
    }
  }
  return {};
}

Status TarReader::apply_pax(const Pax& pax, TarEntry& entry) {
  for (const auto& [name, value] : pax.values) {
    auto number = pax_number(value);
    if (value.empty()) continue;  // an empty value takes a global one back
    if (name == "path") entry.path = value;
    if (name == "linkpath") entry.link = value;
    if (name == "uid" || name == "gid") {
      if (!number || *number > UINT32_MAX) return broken_tar("bad " + name + " " + value);
      (name == "uid" ? entry.uid : entry.gid) = static_cast<std::uint32_t>(*number);
    }
    if (name == "size") {
      if (!number || *number > INT64_MAX) return broken_tar("bad size " + value);
      entry.size = *number;
    }
    if (name == "mtime" && !pax_time(value, entry.mtime, entry.mtime_ns)) return broken_tar("bad mtime " + value);
  }
  entry.xattrs = pax.xattrs;
  return {};
}

Result<bool> TarReader::sparse_header(const char* header, Pax& pax, TarEntry& entry) {
  if (entry.type != TarType::file) return false;
  auto major = value_of(pax.values, "GNU.sparse.major");
  auto map = value_of(pax.values, "GNU.sparse.map");
  if (header[156] == 'S') {
    DRYDOCK_TRY(gnu_sparse(header, entry));
  } else if (major == "1") {
    DRYDOCK_TRY(pax_sparse_map());
  } else if (!map.empty()) {  // version 0.1: offset,length,offset,length,…
    std::vector<std::uint64_t> numbers;
    for (std::string_view rest = map; !rest.empty();) {
      auto comma = std::min(rest.find(','), rest.size());
      auto number = pax_number(rest.substr(0, comma));
      if (!number) return broken_tar("bad sparse map");
      numbers.push_back(*number);
      rest.remove_prefix(std::min(rest.size(), comma + 1));
    }
    if (numbers.size() % 2) return broken_tar("bad sparse map");
    for (std::size_t i = 0; i < numbers.size(); i += 2) extents_.emplace_back(numbers[i], numbers[i + 1]);
  } else if (!pax.sparse.empty()) {
    extents_ = std::move(pax.sparse);
  } else if (value_of(pax.values, "GNU.sparse.size").empty()) {
    return false;
  }
  if (auto name = value_of(pax.values, "GNU.sparse.name"); !name.empty()) entry.path = name;
  for (const char* field : {"GNU.sparse.size", "GNU.sparse.realsize"}) {
    if (auto size = pax_number(value_of(pax.values, field))) entry.size = *size;
  }
  real_size_ = entry.size;
  DRYDOCK_TRY(check_extents(real_size_));
  return true;
}

/// GNU's own format: four extents in the header, then blocks of 21 as long as one says that more follow.
Status TarReader::gnu_sparse(const char* header, TarEntry& entry) {
  auto size = tar_number(header + 483, 12);
  if (!size || *size < 0) return broken_tar("bad size of a sparse file");
  entry.size = static_cast<std::uint64_t>(*size);
  char extension[k_tar_block];
  const char* at = header + 386;
  int count = 4;
  bool more = header[482] != 0;
  for (;;) {
    for (int i = 0; i < count; ++i, at += 24) {
      if (at[0] == 0 && at[12] == 0) break;
      auto offset = tar_number(at, 12), length = tar_number(at + 12, 12);
      if (!offset || !length || *offset < 0 || *length < 0) return broken_tar("bad sparse map");
      extents_.emplace_back(*offset, *length);
    }
    if (!more) return {};
    DRYDOCK_TRY(exactly(extension, sizeof extension));
    if (extents_.size() > 1'000'000) return broken_tar("a sparse map that is too long");
    at = extension;
    count = 21;
    more = extension[504] != 0;
  }
}

/// Version 1.0: the map stands before the content, one decimal number a line, padded to a block.
Status TarReader::pax_sparse_map() {
  std::string lines;
  std::size_t at = 0;
  auto number = [&]() -> Result<std::uint64_t> {
    for (;;) {
      auto end = lines.find('\n', at);
      if (end != std::string::npos) {
        auto value = pax_number(std::string_view(lines).substr(at, end - at));
        at = end + 1;
        if (!value) return broken_tar("bad sparse map");
        return *value;
      }
      if (stored_left_ < k_tar_block || lines.size() > k_tar_block * 100'000) return broken_tar("bad sparse map");
      char bytes[k_tar_block];
      DRYDOCK_TRY(exactly(bytes, k_tar_block));
      stored_left_ -= k_tar_block;
      lines.append(bytes, k_tar_block);
    }
  };
  DRYDOCK_ASSIGN(auto count, number());
  for (std::uint64_t i = 0; i < count; ++i) {
    DRYDOCK_ASSIGN(auto offset, number());
    DRYDOCK_ASSIGN(auto length, number());
    extents_.emplace_back(offset, length);
  }
  return {};
}

Status TarReader::check_extents(std::uint64_t real_size) const {
  std::uint64_t end = 0, sum = 0;
  for (const auto& [offset, length] : extents_) {
    if (offset < end || offset > real_size || length > real_size - offset) return broken_tar("bad sparse map");
    end = offset + length;
    sum += length;
  }
  if (sum != stored_left_) return broken_tar("a sparse map that does not fit the content");
  return {};
}

}  // namespace drydock::oci
