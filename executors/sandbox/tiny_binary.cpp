// The smallest static program of each architecture: exit with status 42. The machine code is written by hand from
// the architectures' manuals and Linux's system call numbers; the ELF header is put before it.

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "executors/sandbox/emulation.h"
#include "executors/sandbox/tiny_elf.h"

namespace drydock::sandbox {
namespace {

struct Named {
  const char* architecture;
  ElfTarget target;
};

const std::vector<Named>& programs() {
  static const std::vector<Named> list = {
      // mov eax, 60; mov edi, 42; syscall
      {"amd64", {ElfWidth::bits64, ElfOrder::little, 62, 0,
       {0xb8, 0x3c, 0, 0, 0, 0xbf, 0x2a, 0, 0, 0, 0x0f, 0x05}}},
      // mov eax, 1; mov ebx, 42; int 0x80
      {"386", {ElfWidth::bits32, ElfOrder::little, 3, 0,
       {0xb8, 1, 0, 0, 0, 0xbb, 0x2a, 0, 0, 0, 0xcd, 0x80}}},
      // mov x8, 93; mov x0, 42; svc 0
      {"arm64", {ElfWidth::bits64, ElfOrder::little, 183, 0,
       {0xa8, 0x0b, 0x80, 0xd2, 0x40, 0x05, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4}}},
      // mov r7, 1; mov r0, 42; svc 0 (EABI 5)
      {"arm", {ElfWidth::bits32, ElfOrder::little, 40, 0x05000000,
       {0x01, 0x70, 0xa0, 0xe3, 0x2a, 0x00, 0xa0, 0xe3, 0x00, 0x00, 0x00, 0xef}}},
      // li a7, 93; li a0, 42; ecall
      {"riscv64", {ElfWidth::bits64, ElfOrder::little, 243, 0,
       {0x93, 0x08, 0xd0, 0x05, 0x13, 0x05, 0xa0, 0x02, 0x73, 0x00, 0x00, 0x00}}},
      // li r0, 1; li r3, 42; sc (ABI 2)
      {"ppc64le", {ElfWidth::bits64, ElfOrder::little, 21, 2,
       {0x01, 0x00, 0x00, 0x38, 0x2a, 0x00, 0x60, 0x38, 0x02, 0x00, 0x00, 0x44}}},
      // lghi %r2, 42; svc 1
      {"s390x", {ElfWidth::bits64, ElfOrder::big, 22, 0,
       {0xa7, 0x29, 0x00, 0x2a, 0x0a, 0x01}}},
      // ori v0, zero, 5058; ori a0, zero, 42; syscall (MIPS64 release 2)
      {"mips64le", {ElfWidth::bits64, ElfOrder::little, 8, 0x80000007,
       {0xc2, 0x13, 0x02, 0x34, 0x2a, 0x00, 0x04, 0x34, 0x0c, 0x00, 0x00, 0x00}}},
      // ori a7, zero, 93; ori a0, zero, 42; syscall 0 (LP64D)
      {"loong64", {ElfWidth::bits64, ElfOrder::little, 258, 0x43,
       {0x0b, 0x74, 0x81, 0x03, 0x04, 0xa8, 0x80, 0x03, 0x00, 0x00, 0x2b, 0x00}}},
  };
  return list;
}

/// Writes numbers in the target's byte order.
class Writer {
 public:
  explicit Writer(ElfOrder order) : order_(order) {}
  void number(std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) {
      const int shift = 8 * (order_ == ElfOrder::little ? i : bytes - 1 - i);
      text_ += static_cast<char>(value >> shift & 0xff);
    }
  }
  void raw(std::string_view bytes) { text_ += bytes; }
  std::string take() { return std::move(text_); }

 private:
  ElfOrder order_;
  std::string text_;
};

}  // namespace

// One ELF header, one loadable segment that is the whole file, the code. Aligned for 64 KiB pages.
std::string tiny_elf(const ElfTarget& target) {
  constexpr std::uint64_t base = 0x10000000, alignment = 0x10000;
  const bool wide = target.width == ElfWidth::bits64;
  const int word = wide ? 8 : 4;
  const std::uint64_t header = wide ? 64 : 52, segment = wide ? 56 : 32;
  const std::uint64_t start = header + segment, size = start + target.code.size();
  Writer out(target.order);
  out.raw({"\x7f" "ELF", 4});
  out.number(wide ? 2 : 1, 1);
  out.number(target.order == ElfOrder::little ? 1 : 2, 1);
  out.number(1, 1);                    // version
  for (int i = 0; i < 9; ++i) out.number(0, 1);
  out.number(2, 2);                    // ET_EXEC
  out.number(target.machine, 2);
  out.number(1, 4);
  out.number(base + start, word);      // entry
  out.number(header, word);            // program headers
  out.number(0, word);                 // no sections
  out.number(target.flags, 4);
  out.number(header, 2);
  out.number(segment, 2);
  out.number(1, 2);
  for (int i = 0; i < 3; ++i) out.number(0, 2);
  constexpr std::uint64_t load = 1, read_execute = 5;
  out.number(load, 4);
  if (wide) out.number(read_execute, 4);
  out.number(0, word);                 // offset
  out.number(base, word);
  out.number(base, word);
  out.number(size, word);
  out.number(size, word);
  if (!wide) out.number(read_execute, 4);
  out.number(alignment, word);
  out.raw({reinterpret_cast<const char*>(target.code.data()), target.code.size()});
  return out.take();
}

std::string_view tiny_binary(std::string_view architecture) {
  static const auto binaries = [] {
    std::map<std::string, std::string, std::less<>> made;
    for (const auto& [architecture, target] : programs()) made[architecture] = tiny_elf(target);
    return made;
  }();
  const auto found = binaries.find(architecture);
  return found == binaries.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace drydock::sandbox
