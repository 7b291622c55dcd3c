#pragma once
// Small questions about ASCII texts that the rooms share. No locale.

#include <string>
#include <string_view>

namespace drydock {

/// A to Z as a to z; other bytes stay.
std::string lower(std::string_view text);

/// The first line that has more than blanks, without what stands before it; "" where there is none.
std::string first_line(std::string_view text);

}  // namespace drydock
