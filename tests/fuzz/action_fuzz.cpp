// Any text as an action's metadata (action.yml).

#include "parser/workflow/action.h"

#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  drydock::parser::workflow::read_action({reinterpret_cast<const char*>(data), size}, "action.yml");
  return 0;
}
