#include "executors/container/init_program.h"

// DRYDOCK_INIT_PROGRAM is the path of the linked program.
asm(".section .rodata\n"
    ".balign 16\n"
    "drydock_init_begin:\n"
    ".incbin \"" DRYDOCK_INIT_PROGRAM "\"\n"
    "drydock_init_end:\n"
    ".previous\n"
    ".global drydock_init_begin\n"
    ".global drydock_init_end\n");

extern "C" {
extern const char drydock_init_begin[];
extern const char drydock_init_end[];
}

namespace drydock::container {

std::string_view init_binary() {
  return {drydock_init_begin, static_cast<std::size_t>(drydock_init_end - drydock_init_begin)};
}

}  // namespace drydock::container
