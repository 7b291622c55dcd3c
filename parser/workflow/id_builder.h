#pragma once
// IdBuilder: checks ids given in a file and makes the missing ones, unique within one list, as GitHub does.
// Internal to this room; not thread-safe.

#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace drydock::parser::workflow {

class IdBuilder {
 public:
  /// Takes an id that was written; GitHub's error text when it must not be used.
  std::optional<std::string> add(std::string_view id);

  /// A new id from "__" and the hint: "__actions_checkout", "__actions_checkout_2".
  std::string make(std::string_view hint);

 private:
  bool take(const std::string& id);
  std::set<std::string> taken_;  // in lower case
};

}  // namespace drydock::parser::workflow
