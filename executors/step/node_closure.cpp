#include "executors/step/node_closure.h"

#include <elf.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>
#include <sstream>

#include "executors/base/fs.h"

namespace drydock::step {
namespace fs = std::filesystem;
namespace {

// Debian's Node reads parts of itself from here.
constexpr const char* k_debian_parts = "/usr/share/nodejs";

/// A 64-bit ELF file in memory, of this machine's byte order. Offsets are checked before anything is read.
class Elf {
 public:
  explicit Elf(std::string bytes) : bytes_(std::move(bytes)) {}

  bool valid() const {
    const auto* head = at<Elf64_Ehdr>(0);
    return head && std::memcmp(head->e_ident, ELFMAG, SELFMAG) == 0 && head->e_ident[EI_CLASS] == ELFCLASS64 &&
           head->e_ident[EI_DATA] == ELFDATA2LSB && head->e_phentsize == sizeof(Elf64_Phdr);
  }

  /// The loader's path; nothing for a static program.
  std::optional<std::string> loader() const {
    const auto* segment = find(PT_INTERP);
    if (!segment || segment->p_offset + segment->p_filesz > bytes_.size()) return std::nullopt;
    return std::string(bytes_.c_str() + segment->p_offset);
  }

  /// Writes another loader and where libraries are, both into the room of the old loader's path: the second as
  /// DT_RPATH, which unlike DT_RUNPATH holds for the libraries of libraries too.
  Status redirect(const std::string& loader, const std::string& libraries) {
    const auto* named = find(PT_INTERP);
    const auto* dynamic = find(PT_DYNAMIC);
    const std::string both = loader + '\0' + libraries + '\0';
    if (!named || !dynamic || named->p_filesz < both.size() || !at<char>(named->p_offset + named->p_filesz - 1)) {
      return make_error(ErrorCode::unsupported, "there is no room for another loader in it");
    }
    auto* table = at<Elf64_Dyn>(dynamic->p_offset);
    const std::size_t count = dynamic->p_filesz / sizeof(Elf64_Dyn);
    if (!table || !at<char>(dynamic->p_offset + dynamic->p_filesz - 1)) return make_error(ErrorCode::unsupported, "its dynamic section is cut");
    Elf64_Dyn* place = free_entry(table, count);
    const auto strings = std::find_if(table, table + count, [](const Elf64_Dyn& each) { return each.d_tag == DT_STRTAB; });
    if (!place || strings == table + count) return make_error(ErrorCode::unsupported, "there is no room in its dynamic section");
    // An offset from the string table, which the text need not lie in: addresses wrap.
    place->d_tag = DT_RPATH;
    place->d_un.d_val = named->p_vaddr + loader.size() + 1 - strings->d_un.d_ptr;
    bytes_.replace(named->p_offset, named->p_filesz, both + std::string(named->p_filesz - both.size(), '\0'));
    return {};
  }

  const std::string& bytes() const { return bytes_; }

 private:
  template <class T>
  T* at(std::uint64_t offset) {
    return offset + sizeof(T) <= bytes_.size() ? reinterpret_cast<T*>(bytes_.data() + offset) : nullptr;
  }
  template <class T>
  const T* at(std::uint64_t offset) const {
    return offset + sizeof(T) <= bytes_.size() ? reinterpret_cast<const T*>(bytes_.data() + offset) : nullptr;
  }
  const Elf64_Phdr* find(std::uint32_t type) const {
    const auto* head = at<Elf64_Ehdr>(0);
    for (std::size_t i = 0; i < head->e_phnum; ++i) {
      const auto* segment = at<Elf64_Phdr>(head->e_phoff + i * sizeof(Elf64_Phdr));
      if (segment && segment->p_type == type) return segment;
    }
    return nullptr;
  }
  /// Its own path of libraries, else a spare entry at the end, else the one that only debuggers use.
  static Elf64_Dyn* free_entry(Elf64_Dyn* table, std::size_t count) {
    Elf64_Dyn *own = nullptr, *spare = nullptr, *debug = nullptr;
    for (std::size_t i = 0; i < count; ++i) {
      if (table[i].d_tag == DT_RUNPATH || table[i].d_tag == DT_RPATH) own = &table[i];
      if (table[i].d_tag == DT_DEBUG) debug = &table[i];
      if (table[i].d_tag != DT_NULL) continue;
      if (i + 1 < count) spare = &table[i];
      break;
    }
    return own ? own : spare ? spare : debug;
  }

  std::string bytes_;
};

struct Library {
  std::string name, path;
};

/// What the loader itself would load.
Result<std::vector<Library>> libraries_of(const std::string& loader, const std::string& program) {
  DRYDOCK_ASSIGN(const auto listed, run_process({.argv = {loader, "--list", program}}));
  if (listed.exit_code != 0) return make_error(ErrorCode::environment, loader + " cannot list the libraries of " + program + ": " + listed.err);
  std::vector<Library> out;
  std::istringstream lines(listed.out);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name, arrow, path;
    words >> name >> arrow >> path;
    if (arrow == "=>" && path.starts_with('/')) out.push_back({fs::path(name).filename(), path});
    if (arrow == "=>" && path == "not") return make_error(ErrorCode::environment, program + " needs " + name + ", which is not here");
  }
  return out;
}

/// Another file at the same place has another name.
Result<std::string> key_of(const std::string& program) {
  struct stat status {};
  if (::stat(program.c_str(), &status) != 0) return errno_error(program, errno);
  return "node-" + std::to_string(status.st_ino) + "-" + std::to_string(status.st_size) + "-" + std::to_string(status.st_mtim.tv_sec) +
         "-" + std::to_string(status.st_mtim.tv_nsec);
}

Status copy_file(const std::string& from, const std::string& to) {
  std::error_code failure;
  fs::copy_file(from, to, failure);
  return failure ? Status(errno_error("copying " + from, failure.value())) : Status();
}

Status fill(const std::string& program, const std::string& directory) {
  DRYDOCK_ASSIGN(std::string bytes, read_file(program));
  Elf elf(std::move(bytes));
  if (!elf.valid()) return make_error(ErrorCode::unsupported, program + " is no ELF program of this machine's kind");
  DRYDOCK_TRY(make_directories(directory + "/bin"));
  DRYDOCK_TRY(make_directories(directory + "/lib"));
  if (const auto loader = elf.loader()) {
    DRYDOCK_TRY(copy_file(*loader, directory + "/ld.so"));
    DRYDOCK_ASSIGN(const auto libraries, libraries_of(*loader, program));
    for (const auto& library : libraries) DRYDOCK_TRY(copy_file(library.path, directory + "/lib/" + library.name));
    const std::string mount = k_closure_mount;
    if (auto redirected = elf.redirect(mount + "/ld.so", mount + "/lib"); !redirected) {
      return std::move(redirected).error().while_("making a copy of " + program + " for containers");
    }
  }
  return write_file_atomic(directory + "/bin/node", elf.bytes(), 0755, Durability::relaxed);
}

NodeClosure closure_in(const std::string& directory) {
  NodeClosure closure{.mounts = {{directory, k_closure_mount}}, .program = std::string(k_closure_mount) + "/bin/node"};
  std::error_code failure;
  const bool debian = std::any_of(fs::directory_iterator(directory + "/lib", failure), fs::directory_iterator(), [](const auto& entry) {
    return entry.path().filename().string().starts_with("libnode.so");
  });
  if (debian && is_directory(k_debian_parts)) closure.mounts.push_back({k_debian_parts, k_debian_parts});
  return closure;
}

}  // namespace

Result<NodeClosure> make_node_closure(const std::string& program, const std::string& directory) {
  DRYDOCK_ASSIGN(const std::string key, key_of(program));
  const std::string target = directory + "/" + key;
  if (is_directory(target)) return closure_in(target);
  DRYDOCK_TRY(make_directories(directory));
  DRYDOCK_ASSIGN(auto fresh, TempDir::create(directory));
  const std::string made = fresh.path() + "/closure";
  DRYDOCK_TRY(make_directories(made));
  DRYDOCK_TRY(fill(program, made));
  if (::rename(made.c_str(), target.c_str()) != 0 && errno != EEXIST && errno != ENOTEMPTY) return errno_error("making " + target, errno);
  return closure_in(target);
}

}  // namespace drydock::step
