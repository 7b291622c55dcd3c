#include "executors/oci/tar.h"

#include "executors/oci/tar_fields.h"

#include <algorithm>
#include <cstring>

namespace drydock::oci {
namespace {

constexpr std::string_view k_zeros{"\0", 1};

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// Octal with leading zeros and a closing NUL; false when it has no room.
bool put_octal(char* field, std::size_t size, std::uint64_t value) {
  for (std::size_t i = size - 1; i-- > 0;) {
    field[i] = static_cast<char>('0' + (value & 7));
    value >>= 3;
  }
  return value == 0;
}

/// "<length> <name>=<value>\n", where the length counts its own digits.
void add_record(std::string& records, std::string_view name, std::string_view value) {
  std::size_t rest = name.size() + value.size() + 3;
  std::size_t size = rest + std::to_string(rest).size();
  size = rest + std::to_string(size).size();
  records += std::to_string(size);
  records += ' ';
  records += name;
  records += '=';
  records += value;
  records += '\n';
}

/// Puts the path into name and, cut at a slash, prefix.
bool put_path(char* header, std::string_view path) {
  if (!is_ascii(path)) return false;
  if (path.size() <= 100) {
    path.copy(header, 100);
    return true;
  }
  // The latest slash that leaves at most 155 bytes before it; a directory's closing slash is no border.
  auto slash = path.rfind('/', std::min<std::size_t>(155, path.size() - 2));
  if (slash == std::string_view::npos || slash == 0 || path.size() - slash - 1 > 100) return false;
  path.substr(slash + 1).copy(header, 100);
  path.substr(0, slash).copy(header + 345, 155);
  return true;
}

char type_flag(TarType type) {
  switch (type) {
    case TarType::file: return '0';
    case TarType::hard_link: return '1';
    case TarType::symlink: return '2';
    case TarType::char_device: return '3';
    case TarType::block_device: return '4';
    case TarType::directory: return '5';
    case TarType::fifo: return '6';
  }
  return '0';
}

void put_checksum(char* header) {
  std::memset(header + 148, ' ', 8);
  unsigned sum = 0;
  for (std::size_t i = 0; i < k_tar_block; ++i) sum += static_cast<unsigned char>(header[i]);
  put_octal(header + 148, 7, sum);
  header[155] = ' ';
}

void put_magic(char* header) { std::memcpy(header + 257, "ustar\0" "00", 8); }

void pad(std::string& bytes) { bytes.append((k_tar_block - bytes.size() % k_tar_block) % k_tar_block, '\0'); }

std::string pax_block(const std::string& path, const std::string& records) {
  std::string bytes(k_tar_block, '\0');
  char* header = bytes.data();
  auto name = "PaxHeaders.0/" + path.substr(path.rfind('/', path.size() - 2) + 1);
  if (is_ascii(name)) {
    name.copy(header, 100);
  } else {
    std::string_view("PaxHeaders.0/entry").copy(header, 100);
  }
  put_octal(header + 100, 8, 0644);
  put_octal(header + 108, 8, 0);
  put_octal(header + 116, 8, 0);
  put_octal(header + 124, 12, records.size());
  put_octal(header + 136, 12, 0);
  header[156] = 'x';
  put_magic(header);
  put_checksum(header);
  bytes += records;
  pad(bytes);
  return bytes;
}

}  // namespace

std::string tar_header(const TarEntry& entry) {
  std::string bytes(k_tar_block, '\0');
  char* header = bytes.data();
  std::string records;
  auto size = entry.type == TarType::file ? entry.size : 0;
  if (!put_path(header, entry.path)) {
    add_record(records, "path", entry.path);
    std::string_view("long-name").copy(header, 100);
  }
  if (entry.link.size() <= 100 && is_ascii(entry.link)) {
    entry.link.copy(header + 157, 100);
  } else {
    add_record(records, "linkpath", entry.link);
  }
  put_octal(header + 100, 8, entry.mode & 07777);
  if (!put_octal(header + 108, 8, entry.uid)) add_record(records, "uid", std::to_string(entry.uid));
  if (!put_octal(header + 116, 8, entry.gid)) add_record(records, "gid", std::to_string(entry.gid));
  if (!put_octal(header + 124, 12, size)) add_record(records, "size", std::to_string(size));
  auto seconds = entry.mtime < 0 ? 0 : static_cast<std::uint64_t>(entry.mtime);
  if (!put_octal(header + 136, 12, seconds) || entry.mtime < 0) {
    add_record(records, "mtime", std::to_string(entry.mtime));
  }
  put_octal(header + 329, 8, entry.device_major);
  put_octal(header + 337, 8, entry.device_minor);
  for (const auto& [name, value] : entry.xattrs) add_record(records, "SCHILY.xattr." + name, value);
  header[156] = type_flag(entry.type);
  put_magic(header);
  put_checksum(header);
  return records.empty() ? bytes : pax_block(entry.path, records) + bytes;
}

Status TarWriter::put(std::string_view bytes) {
  size_ += bytes.size();
  return sink_(bytes);
}

Status TarWriter::header(const TarEntry& entry) {
  if (content_left_ || padding_) return make_error(ErrorCode::internal, "a tar entry was left unfinished");
  content_left_ = entry.type == TarType::file ? entry.size : 0;
  padding_ = (k_tar_block - content_left_ % k_tar_block) % k_tar_block;
  return put(tar_header(entry));
}

Status TarWriter::content(std::string_view bytes) {
  if (bytes.size() > content_left_) return make_error(ErrorCode::internal, "a tar entry got too much content");
  content_left_ -= bytes.size();
  return put(bytes);
}

Status TarWriter::end_file() {
  if (content_left_) return make_error(ErrorCode::internal, "a tar entry got too little content");
  static const std::string zeros(k_tar_block, k_zeros[0]);
  auto padding = std::exchange(padding_, 0);
  return padding ? put(std::string_view(zeros).substr(0, padding)) : Status();
}

Status TarWriter::finish() { return put(std::string(2 * k_tar_block, '\0')); }

}  // namespace drydock::oci
