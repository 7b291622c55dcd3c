#pragma once
// The "--name=value" words of one instruction, checked against those it takes. Internal to this room.
// Pure; thread-safe.

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::parser::dockerfile {

/// Why an instruction is refused. Thrown and caught within this room only.
struct Wrong {
  std::string message;
  std::string mend;
  std::string fragment;  // text at fault, for the column
};

enum class FlagKind { boolean, text, list };

struct FlagSpec {
  std::string_view name;
  FlagKind kind = FlagKind::text;
};

class Flags {
 public:
  /// Throws Wrong for an unknown flag, one given twice, or a value that is missing or no boolean.
  Flags(const std::vector<std::string>& words, std::string_view instruction, std::initializer_list<FlagSpec> specs);

  std::string text(std::string_view name) const;               // empty when absent
  std::vector<std::string> list(std::string_view name) const;
  std::optional<bool> boolean(std::string_view name) const;
  bool given(std::string_view name) const { return values_.count(name) > 0; }

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

}  // namespace drydock::parser::dockerfile
