#include "runner/services/block_list.h"

#include "tests/support/catch.h"

using namespace drydock::runner;

namespace {

std::string read(const std::string& xml) {
  const auto ids = parse_block_list(xml);
  if (!ids) return "refused";
  std::string text;
  for (const auto& id : *ids) text += id + " ";
  return text;
}

}  // namespace

TEST_CASE("block lists") {
  struct Row {
    std::string xml, expected;
  };
  const Row rows[] = {
      {R"(<?xml version="1.0" encoding="utf-8"?><BlockList><Latest>AA==</Latest><Latest>AB==</Latest></BlockList>)", "AA== AB== "},
      {"<BlockList><Uncommitted>a</Uncommitted><Committed>b</Committed><Latest>a</Latest></BlockList>", "a b a "},
      {"<BlockList/>", ""},
      {"<BlockList>\n  <Latest>a&amp;b</Latest>\n</BlockList>\n", "a&b "},
      {"", "refused"},
      {"<BlockList>", "refused"},
      {"<Blocks><Latest>a</Latest></Blocks>", "refused"},
      {"<BlockList><Oldest>a</Oldest></BlockList>", "refused"},
      {"<BlockList><Latest><Latest>a</Latest></Latest></BlockList>", "refused"},
      {"<BlockList><Latest></Latest></BlockList>", "refused"},
      {"<BlockList><Latest>" + std::string(300, 'a') + "</Latest></BlockList>", "refused"},
      {R"(<!DOCTYPE BlockList [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><BlockList><Latest>&b;</Latest></BlockList>)", "refused"},
      {R"(<!DOCTYPE BlockList SYSTEM "file:///etc/passwd"><BlockList/>)", "refused"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.xml);
    CHECK(read(row.xml) == row.expected);
  }
}

TEST_CASE("a block list has an end") {
  std::string xml = "<BlockList>";
  for (int i = 0; i < 50'001; ++i) xml += "<Latest>a</Latest>";
  CHECK(read(xml + "</BlockList>") == "refused");
}
