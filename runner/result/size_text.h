#pragma once
// Sizes for people: "812 B", "31.2 MB", "1.5 GB" (decimal). Pure.

#include <cstdint>
#include <string>

namespace drydock::runner {

std::string size_text(std::int64_t bytes);

}  // namespace drydock::runner
