#include "runner/services/upload.h"

#include "executors/base/fs.h"
#include "tests/support/catch.h"

using namespace drydock;
using namespace drydock::runner;

namespace {

struct UploadPlace {
  UploadPlace() : directory(*TempDir::create()) {}
  std::shared_ptr<Upload> upload() {
    auto made = Upload::create(directory.path() + "/up", budget);
    REQUIRE(made.ok());
    return *made;
  }
  std::string moved(Upload& upload) {
    const auto target = directory.path() + "/kept";
    const auto done = upload.move_to(target);
    if (!done) return "refused: " + Status(done).error().message;
    return *read_file(target);
  }
  TempDir directory;
  UploadBudget budget{1000};
};

void put(Result<Upload::Piece> piece, const std::string& text) {
  REQUIRE(piece.ok());
  for (const char c : text) REQUIRE(piece->write(std::string(1, c)).ok());
  REQUIRE(piece->finish().ok());
}

}  // namespace

TEST_CASE("blocks are put in the order of the list") {
  struct Row {
    std::vector<std::string> list;
    std::string expected;
  };
  for (const auto& row : {Row{{"a", "b", "c"}, "onetwothree"}, Row{{"c", "a"}, "threeone"}, Row{{"a"}, "one"},
                          Row{{"b", "b"}, "twotwo"}, Row{{}, ""}}) {
    UploadPlace place;
    auto upload = place.upload();
    put(upload->block("a", 3), "one");
    put(upload->block("b", 3), "two");
    put(upload->block("c", 5), "three");
    REQUIRE(upload->commit_blocks(row.list).ok());
    CHECK(upload->size() == row.expected.size());
    CHECK(place.moved(*upload) == row.expected);
  }
}

TEST_CASE("a block that is sent again replaces the first one") {
  UploadPlace place;
  auto upload = place.upload();
  put(upload->block("a", 3), "one");
  put(upload->block("b", 3), "two");
  put(upload->block("a", 4), "ahoy");
  REQUIRE(upload->commit_blocks({"a", "b"}).ok());
  CHECK(place.moved(*upload) == "ahoytwo");
}

TEST_CASE("a whole blob, also after a first attempt that broke") {
  UploadPlace place;
  auto upload = place.upload();
  {
    auto broken = upload->whole(6);
    REQUIRE(broken->write("xyz").ok());
    CHECK(broken->finish().error().code == ErrorCode::invalid_input);
  }
  CHECK_FALSE(upload->size());
  put(upload->whole(6), "entire");
  CHECK(place.moved(*upload) == "entire");
}

TEST_CASE("ranges must cover exactly what is announced") {
  UploadPlace place;
  auto upload = place.upload();
  put(upload->range(3, 3), "two");
  CHECK_FALSE(upload->commit_ranges(6).ok());
  put(upload->range(0, 3), "one");
  CHECK_FALSE(upload->commit_ranges(5).ok());
  CHECK_FALSE(upload->commit_ranges(7).ok());
  REQUIRE(upload->commit_ranges(6).ok());
  CHECK(place.moved(*upload) == "onetwo");
}

TEST_CASE("what is committed does not change any more") {
  UploadPlace place;
  auto upload = place.upload();
  put(upload->block("a", 3), "one");
  {
    auto late = upload->block("b", 3);
    CHECK(upload->commit_blocks({"a"}).error().code == ErrorCode::timeout);
  }
  REQUIRE(upload->commit_blocks({"a"}).ok());
  {
    auto late = upload->block("c", 3);
    CHECK(place.moved(*upload) == "refused: parts are still being uploaded");
  }
  CHECK(place.moved(*upload) == "one");
  CHECK_FALSE(upload->block("d", 1).ok());
  CHECK_FALSE(upload->whole(1).ok());
  CHECK_FALSE(upload->commit_blocks({}).ok());
}

TEST_CASE("more than was told, unknown blocks and too much are refused") {
  UploadPlace place;
  auto upload = place.upload();
  CHECK(upload->block("a", 2)->write("abc").error().code == ErrorCode::invalid_input);
  CHECK_FALSE(upload->commit_blocks({"nothing"}).ok());
  CHECK(upload->block("b", 1001).error().code == ErrorCode::permission);
  CHECK(upload->block("b", UINT64_MAX).error().code == ErrorCode::permission);
  CHECK(upload->range(UINT64_MAX - 2, 2).error().code == ErrorCode::permission);
  CHECK_FALSE(upload->move_to(place.directory.path() + "/kept").ok());
}

TEST_CASE("an upload that ends gives its bytes and its file back") {
  UploadPlace place;
  for (int i = 0; i < 3; ++i) {
    auto upload = place.upload();
    put(upload->block("a", 900), std::string(900, 'x'));
  }
  CHECK_FALSE(exists(place.directory.path() + "/up"));
}
