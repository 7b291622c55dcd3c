#pragma once
// The archives of artifacts: written from files, and unpacked as hostile ones. Blocking; no state.

#include <cstdint>
#include <string>
#include <vector>

#include "executors/base/result.h"

namespace drydock::actions {

struct ZipSource {
  std::string path;  // of a file; a link stands for what it leads to
  std::string name;  // in the archive, relative
};

struct WrittenFile {
  std::uint64_t size = 0;
  std::string sha256;  // hex
};

/// `level`: 0 stores, 1 to 9 deflate. The file is made anew.
Result<WrittenFile> write_zip(const std::string& target, const std::vector<ZipSource>& sources, int level);

/// Hashes and copies one file, for artifacts that are no archive.
Result<WrittenFile> copy_hashed(const std::string& from, const std::string& target);

/// Unpacks into `directory`, which it makes. Refused as `corrupted`, with what was unpacked before left there: names
/// that lead outside (also by links that lie in the directory), entries that are neither files nor directories, and
/// archives that would become larger than deflate can have packed.
Result<std::size_t> extract_zip(const std::string& zip, const std::string& directory);

}  // namespace drydock::actions
