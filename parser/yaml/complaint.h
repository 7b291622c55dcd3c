#pragma once
// What libyaml says of a text that is not YAML, in words for the one who wrote it. Internal to this room;
// pure.

#include <string>
#include <string_view>

namespace drydock::parser::yaml {

/// libyaml's own words, and the text from the place that it means to the end.
struct Complaint {
  std::string_view problem, context;  // "did not find expected key", "while parsing a block mapping"
  std::string_view rest;
};

struct Explanation {
  std::string message, mend;
};

Explanation explain(const Complaint& complaint);

/// Whether the beginning of what is read says more than the place where it cannot go on: quotes that nobody
/// closes.
bool is_about_beginning(const Complaint& complaint);

}  // namespace drydock::parser::yaml
