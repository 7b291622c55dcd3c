#pragma once
// The exec form: a JSON array of strings. Tells "not JSON" (then it is a shell form) from "JSON, but not of strings".
// Pure; thread-safe.

#include <string>
#include <string_view>
#include <vector>

namespace drydock::parser::dockerfile {

enum class JsonWordsKind { strings, other_values, not_an_array };

struct JsonWords {
  JsonWordsKind kind = JsonWordsKind::not_an_array;
  std::vector<std::string> words;
};

JsonWords read_json_words(std::string_view text);

}  // namespace drydock::parser::dockerfile
