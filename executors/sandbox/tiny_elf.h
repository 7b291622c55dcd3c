#pragma once
// Makes a static ELF executable from machine code: one header, one segment. Internal to the sandbox.

#include <cstdint>
#include <string>
#include <vector>

namespace drydock::sandbox {

enum class ElfWidth { bits32, bits64 };
enum class ElfOrder { little, big };

struct ElfTarget {
  ElfWidth width = ElfWidth::bits64;
  ElfOrder order = ElfOrder::little;
  std::uint16_t machine = 0;  // e_machine
  std::uint32_t flags = 0;    // e_flags
  std::vector<std::uint8_t> code;
};

std::string tiny_elf(const ElfTarget& target);

}  // namespace drydock::sandbox
