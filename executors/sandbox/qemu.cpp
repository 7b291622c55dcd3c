#include <elf.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "executors/base/process.h"
#include "executors/sandbox/emulation.h"
#include "executors/sandbox/files.h"

namespace drydock::sandbox {
namespace {

/// "9.2.1" as 9'002'001, to compare.
int version_number(std::string_view text) {
  int parts[3] = {0, 0, 0};
  const char* at = text.data();
  const char* end = at + text.size();
  for (int& part : parts) {
    const auto [next, error] = std::from_chars(at, end, part);
    if (error != std::errc()) break;
    at = next < end && *next == '.' ? next + 1 : next;
  }
  return parts[0] * 1000000 + parts[1] * 1000 + parts[2];
}

struct Defect {
  const char* architecture;  // empty: any
  int from, before;          // versions, as version_number
  const char* what;
};

constexpr Defect k_defects[] = {
    // docker/buildx#542
    {"arm64", 5001000, 6000000, "small static programs crash at start now and then (QEMU 5.1 and 5.2)"},
    // tonistiigi/binfmt#240, #245; docker/setup-qemu-action#201
    {"arm64", 9002000, 9002002, "ldconfig crashes with signal 11, so libc-bin cannot be configured (QEMU 9.2.0, 9.2.1)"},
};

/// The beginning of a file: program headers stand there.
std::string head_of(const std::filesystem::path& path) {
  std::string text(4096, '\0');
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (!file) return {};
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  return text;
}

// Without PT_INTERP: needs no loader and no libraries of the container.
bool is_static(const std::filesystem::path& path) {
  const auto text = head_of(path);
  if (text.size() < sizeof(Elf64_Ehdr) || text.compare(0, 4, ELFMAG) != 0) return false;
  const auto has_interpreter = [&text]<class Header, class Segment>(Header header, Segment segment) {
    std::memcpy(&header, text.data(), sizeof header);
    for (int i = 0; i < header.e_phnum; ++i) {
      const auto offset = header.e_phoff + static_cast<std::size_t>(i) * header.e_phentsize;
      if (offset + sizeof segment > text.size()) return true;
      std::memcpy(&segment, text.data() + offset, sizeof segment);
      if (segment.p_type == PT_INTERP) return true;
    }
    return false;
  };
  return text[EI_CLASS] == ELFCLASS64 ? !has_interpreter(Elf64_Ehdr{}, Elf64_Phdr{})
                                      : !has_interpreter(Elf32_Ehdr{}, Elf32_Phdr{});
}

}  // namespace

std::optional<Qemu> parse_qemu_version(std::string_view output) {
  constexpr std::string_view word = "version ";
  const auto at = output.find(word);
  if (!output.starts_with("qemu-") || at == std::string_view::npos) return std::nullopt;
  const auto rest = output.substr(at + word.size(), output.find('\n', at) - at - word.size());
  Qemu qemu;
  qemu.version = std::string(rest.substr(0, rest.find_first_not_of("0123456789.")));
  if (qemu.version.empty()) return std::nullopt;
  const auto open = rest.find('('), close = rest.rfind(')');
  if (open != std::string_view::npos && close != std::string_view::npos && close > open) {
    qemu.distribution = std::string(rest.substr(open + 1, close - open - 1));
  }
  return qemu;
}

std::string known_defect(std::string_view architecture, std::string_view version) {
  const int number = version_number(version);
  if (number == 0) return {};
  for (const auto& defect : k_defects) {
    const bool concerned = *defect.architecture == 0 || architecture == defect.architecture;
    if (concerned && number >= defect.from && number < defect.before) return defect.what;
  }
  return {};
}

Result<std::filesystem::path> qemu_program(std::string_view architecture) {
  const auto pattern = binfmt_pattern(architecture);
  if (!pattern) {
    return make_error(ErrorCode::unsupported, "QEMU cannot run programs for " + std::string(architecture),
                      "use a worker of that architecture");
  }
  std::string dynamic;
  for (const auto& name : {"qemu-" + pattern->qemu + "-static", "qemu-" + pattern->qemu}) {
    const auto path = find_program(name);
    if (!path) continue;
    if (!is_static(*path)) {
      dynamic = *path;
      continue;
    }
    return std::filesystem::path(*path);
  }
  return make_error(ErrorCode::environment,
                    dynamic.empty() ? "qemu-" + pattern->qemu + "-static is not installed"
                                    : dynamic + " is not static and would not find its libraries in a container",
                    "sudo apt-get install qemu-user-static");
}

Result<Qemu> find_qemu(std::string_view architecture) {
  DRYDOCK_ASSIGN(const auto path, qemu_program(architecture));
  ProcessSpec spec;
  spec.argv = {path.string(), "--version"};
  DRYDOCK_ASSIGN(const auto result, run_process(spec));
  auto qemu = parse_qemu_version(result.out);
  if (!qemu) {
    return make_error(ErrorCode::environment, path.string() + " --version says \"" + trimmed(result.out) + "\"");
  }
  qemu->path = path;
  qemu->warning = known_defect(architecture, qemu->version);
  return std::move(*qemu);
}

std::vector<std::string> emulation_environment(std::string_view architecture, const Qemu& qemu) {
  if (const char* chosen = std::getenv("QEMU_CPU"); chosen && *chosen) return {std::string("QEMU_CPU=") + chosen};
  // Pointer authentication as the architecture defines it costs QEMU a block cipher for each call and return; the
  // implementation-defined algorithm (QEMU 6.0) is much cheaper, and programs cannot tell.
  if (architecture == "arm64" && version_number(qemu.version) >= 6000000) return {"QEMU_CPU=max,pauth-impdef=on"};
  // The model of before lacks x86-64-v2, which some distributions now require.
  if (architecture == "amd64") return {"QEMU_CPU=max"};
  return {};
}

}  // namespace drydock::sandbox
