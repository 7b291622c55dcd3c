#pragma once
// Small questions about ASCII texts that the rooms share. No locale.

#include <cstdint>
#include <string>
#include <string_view>

namespace drydock {

/// A to Z as a to z; other bytes stay.
std::string lower(std::string_view text);

/// The first line that has more than blanks, without what stands before it; "" where there is none.
std::string first_line(std::string_view text);

/// Sizes for people, decimal: "812 B", "31.2 MB", "1.5 GB".
std::string size_text(std::uint64_t bytes);

}  // namespace drydock
