#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <sstream>

#include "executors/sandbox/emulation.h"
#include "executors/sandbox/files.h"
#include "executors/sandbox/userns.h"

namespace drydock::sandbox {
namespace {

struct ElfFacts {
  const char* architecture;
  const char* qemu;
  int elf_class;  // EI_CLASS: 1 for 32 bits, 2 for 64
  int data;       // EI_DATA: 1 little endian, 2 big endian
  int machine;    // e_machine
};

constexpr ElfFacts k_elf_facts[] = {
    {"amd64", "x86_64", 2, 1, 62},   {"386", "i386", 1, 1, 3},           {"arm64", "aarch64", 2, 1, 183},
    {"arm", "arm", 1, 1, 40},        {"riscv64", "riscv64", 2, 1, 243},  {"ppc64le", "ppc64le", 2, 1, 21},
    {"s390x", "s390x", 2, 2, 22},    {"mips64le", "mips64el", 2, 1, 8},  {"loong64", "loongarch64", 2, 1, 258},
};

// e_ident, e_type and e_machine: the first 20 bytes of every ELF file. EI_OSABI (byte 7) may be anything, and e_type
// may be 2 (executable) or 3 (position independent).
BinfmtPattern pattern_from(const ElfFacts& facts) {
  BinfmtPattern pattern;
  pattern.architecture = facts.architecture;
  pattern.qemu = facts.qemu;
  pattern.magic.assign(20, '\0');
  pattern.magic.replace(0, 4, "\x7f" "ELF");
  pattern.magic[4] = static_cast<char>(facts.elf_class);
  pattern.magic[5] = static_cast<char>(facts.data);
  pattern.magic[6] = 1;
  pattern.mask.assign(20, '\xff');
  pattern.mask[7] = 0;
  const bool little = facts.data == 1;
  const int low_type = little ? 16 : 17, low_machine = little ? 18 : 19, high_machine = little ? 19 : 18;
  pattern.magic[low_type] = 2;
  pattern.mask[low_type] = '\xfe';
  pattern.magic[low_machine] = static_cast<char>(facts.machine & 0xff);
  pattern.magic[high_machine] = static_cast<char>(facts.machine >> 8);
  return pattern;
}

std::string hexadecimal(std::string_view bytes, const char* before) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : bytes) {
    text += before;
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::string from_hexadecimal(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

}  // namespace

const std::vector<BinfmtPattern>& all_binfmt_patterns() {
  static const auto patterns = [] {
    std::vector<BinfmtPattern> made;
    for (const auto& facts : k_elf_facts) made.push_back(pattern_from(facts));
    return made;
  }();
  return patterns;
}

std::optional<BinfmtPattern> binfmt_pattern(std::string_view architecture) {
  for (const auto& pattern : all_binfmt_patterns()) {
    if (pattern.architecture == architecture) return pattern;
  }
  return std::nullopt;
}

std::string registration_line(const BinfmtPattern& pattern, std::string_view name,
                              const std::filesystem::path& interpreter, std::string_view flags) {
  return ":" + std::string(name) + ":M:0:" + hexadecimal(pattern.magic, "\\x") + ":" +
         hexadecimal(pattern.mask, "\\x") + ":" + interpreter.string() + ":" + std::string(flags);
}

Result<BinfmtEntry> parse_binfmt_entry(std::string_view name, std::string_view text) {
  BinfmtEntry entry;
  entry.name = name;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    const auto blank = line.find(' ');
    const auto key = line.substr(0, blank);
    const auto value = blank == std::string::npos ? std::string() : line.substr(blank + 1);
    if (key == "enabled") entry.enabled = true;
    if (key == "interpreter") entry.interpreter = value;
    if (key == "flags:") entry.flags = value;
    try {
      if (key == "offset") entry.offset = std::stoi(value);
      if (key == "magic") entry.magic = from_hexadecimal(value);
      if (key == "mask") entry.mask = from_hexadecimal(value);
    } catch (const std::exception&) {
      return make_error(ErrorCode::invalid_input, "binfmt entry " + std::string(name) + ": \"" + line + "\"");
    }
  }
  if (entry.interpreter.empty()) {
    return make_error(ErrorCode::invalid_input, "binfmt entry " + std::string(name) + " names no interpreter");
  }
  return entry;
}

std::vector<BinfmtEntry> read_binfmt_entries(const std::filesystem::path& binfmt_dir) {
  std::vector<BinfmtEntry> entries;
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(binfmt_dir, error)) {
    const auto name = file.path().filename().string();
    if (name == "register" || name == "status") continue;
    if (auto entry = parse_binfmt_entry(name, read_text(file.path()))) entries.push_back(std::move(entry).value());
  }
  return entries;
}

std::optional<BinfmtEntry> entry_for(const std::vector<BinfmtEntry>& entries, std::string_view architecture) {
  const auto binary = tiny_binary(architecture);
  if (binary.empty()) return std::nullopt;
  for (const auto& entry : entries) {
    const auto start = static_cast<std::size_t>(entry.offset);
    if (!entry.enabled || entry.magic.empty() || start + entry.magic.size() > binary.size()) continue;
    bool takes = true;
    for (std::size_t i = 0; i < entry.magic.size() && takes; ++i) {
      const char mask = i < entry.mask.size() ? entry.mask[i] : '\xff';
      takes = (binary[start + i] & mask) == (entry.magic[i] & mask);
    }
    if (takes) return entry;
  }
  return std::nullopt;
}

Registration::Registration(Registration&& other) noexcept
    : entry_(std::exchange(other.entry_, {})), journal_(std::move(other.journal_)), number_(other.number_) {}

Registration& Registration::operator=(Registration&& other) noexcept {
  std::swap(entry_, other.entry_);
  std::swap(journal_, other.journal_);
  std::swap(number_, other.number_);
  return *this;
}

Registration::~Registration() {
  if (entry_.empty()) return;
  (void)write_once(entry_, "-1");
  if (journal_) journal_->gone(number_);
}

void Registration::keep() {
  entry_.clear();
  if (journal_) journal_->gone(number_);
  journal_.reset();
}

Result<Mount> mount_private_binfmt(const std::filesystem::path& binfmt_dir) {
  if (in_initial_user_namespace()) {
    return make_error(ErrorCode::internal, "a binfmt_misc of our own needs a user namespace of our own");
  }
  auto mount = mount_kernel_filesystem("binfmt_misc", binfmt_dir);
  if (mount) return mount;
  return make_error(ErrorCode::environment,
                    "a user namespace cannot have its own binfmt_misc here: " + mount.error().message,
                    "use Linux 6.7 or later, or register QEMU on the host: sudo apt-get install qemu-user-static "
                    "binfmt-support");
}

Result<Registration> register_qemu(const std::filesystem::path& binfmt_dir, std::string_view architecture,
                                   const std::filesystem::path& interpreter, std::string_view flags,
                                   const std::shared_ptr<Journal>& journal) {
  const auto pattern = binfmt_pattern(architecture);
  if (!pattern) {
    return make_error(ErrorCode::unsupported, "QEMU cannot run programs for " + std::string(architecture));
  }
  const auto name = "drydock-" + pattern->qemu;
  Registration registration;
  if (journal) {
    DRYDOCK_ASSIGN(registration.number_,
                   journal->note({Held::binfmt, (binfmt_dir / name).string(),
                                  {{"interpreter", interpreter.string()},
                                   {"namespace", in_initial_user_namespace() ? "initial" : "own"}}}));
  }
  const auto written =
      write_once(binfmt_dir / "register", registration_line(*pattern, name, interpreter, flags));
  if (!written) {
    if (journal) journal->gone(registration.number_);
    auto error = written.error();
    return std::move(error).while_("registering " + interpreter.string() + " for " + std::string(architecture));
  }
  registration.entry_ = binfmt_dir / name;
  registration.journal_ = journal;
  return registration;
}

}  // namespace drydock::sandbox
