#include "runner/services/block_list.h"

#include <expat.h>

#include <memory>

namespace drydock::runner {
namespace {

constexpr std::size_t k_most_blocks = 50'000;
constexpr std::size_t k_longest_id = 256;

struct Reading {
  XML_Parser parser;
  int depth = 0;
  bool wrong = false;
  std::string text;
  std::vector<std::string> ids;

  void refuse() {
    wrong = true;
    XML_StopParser(parser, XML_FALSE);
  }
};

void on_start(void* data, const char* name, const char**) {
  auto& reading = *static_cast<Reading*>(data);
  const std::string_view tag = name;
  ++reading.depth;
  const bool root = reading.depth == 1 && tag == "BlockList";
  const bool block = reading.depth == 2 && (tag == "Latest" || tag == "Uncommitted" || tag == "Committed");
  if (!root && !block) reading.refuse();
  reading.text.clear();
}

void on_text(void* data, const char* text, int size) {
  auto& reading = *static_cast<Reading*>(data);
  if (reading.depth != 2) return;
  reading.text.append(text, static_cast<std::size_t>(size));
  if (reading.text.size() > k_longest_id) reading.refuse();
}

void on_end(void* data, const char*) {
  auto& reading = *static_cast<Reading*>(data);
  if (reading.depth-- != 2) return;
  if (reading.text.empty() || reading.ids.size() == k_most_blocks) return reading.refuse();
  reading.ids.push_back(std::move(reading.text));
}

void on_document_type(void* data, const char*, const char*, const char*, int) { static_cast<Reading*>(data)->refuse(); }

}  // namespace

Result<std::vector<std::string>> parse_block_list(std::string_view xml) {
  const std::unique_ptr<XML_ParserStruct, decltype(&XML_ParserFree)> parser(XML_ParserCreate(nullptr), &XML_ParserFree);
  if (!parser) return make_error(ErrorCode::internal, "expat gave no parser");
  Reading reading{.parser = parser.get(), .depth = 0, .wrong = false, .text = {}, .ids = {}};
  XML_SetUserData(parser.get(), &reading);
  XML_SetElementHandler(parser.get(), &on_start, &on_end);
  XML_SetCharacterDataHandler(parser.get(), &on_text);
  XML_SetStartDoctypeDeclHandler(parser.get(), &on_document_type);
  const auto status = XML_Parse(parser.get(), xml.data(), static_cast<int>(xml.size()), XML_TRUE);
  if (status != XML_STATUS_OK || reading.wrong) return make_error(ErrorCode::invalid_input, "the block list cannot be read");
  return std::move(reading.ids);
}

}  // namespace drydock::runner
