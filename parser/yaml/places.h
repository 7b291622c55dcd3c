#pragma once
// Places: byte offsets of a text turned into lines and columns (code points, counted from 1). Refers to the text.

#include "parser/diagnostics/diagnostic.h"

#include <cstddef>
#include <string_view>
#include <vector>

namespace drydock::parser::yaml {

class Places {
 public:
  explicit Places(std::string_view text);
  Position at(std::size_t offset) const;
  std::size_t line_start(int line) const { return starts_[static_cast<std::size_t>(line - 1)]; }
  std::string_view text() const { return text_; }

 private:
  std::string_view text_;
  std::vector<std::size_t> starts_;
};

/// The offset of the first byte that is not valid UTF-8, or npos.
std::size_t find_invalid_utf8(std::string_view text);

}  // namespace drydock::parser::yaml
