#include "executors/base/json.h"

#include <algorithm>

namespace drydock {
namespace {

/// "line 3, column 7" of a byte position counted from 1.
std::string position(std::string_view text, std::size_t byte) {
  const auto before = text.substr(0, byte > 0 ? std::min(byte - 1, text.size()) : 0);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const auto start = before.rfind('\n');
  const auto column = before.size() - (start == std::string_view::npos ? 0 : start + 1) + 1;
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

template <class J>
Result<J> parse(std::string_view text, std::string_view what) {
  try {
    return J::parse(text.begin(), text.end());
  } catch (const nlohmann::json::parse_error& error) {
    return make_error(ErrorCode::invalid_input,
                      std::string(what) + " is not valid JSON at " + position(text, error.byte));
  } catch (const nlohmann::json::exception& error) {
    return make_error(ErrorCode::invalid_input, std::string(what) + " is not valid JSON: " + error.what());
  }
}

}  // namespace

Result<Json> parse_json(std::string_view text, std::string_view what) {
  return parse<Json>(text, what);
}

Result<OrderedJson> parse_ordered_json(std::string_view text, std::string_view what) {
  return parse<OrderedJson>(text, what);
}

std::string dump_json(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string dump_json(const OrderedJson& json, int indent) {
  return json.dump(indent, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace drydock
