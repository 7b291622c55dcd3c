#include "runner/schedule/concurrency.h"

#include <filesystem>

#include "tests/support/catch.h"

using namespace drydock;
using namespace drydock::runner;
using State = GroupPlace::State;

namespace {

struct Groups {
  TempDir dir = TempDir::create().value();
  std::unique_ptr<GroupPlace> take(const char* name, bool cancel = false, GroupQueue queue = GroupQueue::one, const char* repository = "o/r") {
    return GroupPlace::take(dir.path(), repository, {.name = name, .cancel_in_progress = cancel, .queue = queue}).value();
  }
};

State look(const std::unique_ptr<GroupPlace>& place) { return place->look().value(); }

}  // namespace

TEST_CASE("a group holds one, and the newest that waits") {
  Groups groups;
  auto first = groups.take("deploy"), other = groups.take("test"), elsewhere = groups.take("deploy", false, GroupQueue::one, "o/s");
  CHECK(look(first) == State::entered);
  CHECK(look(other) == State::entered);
  CHECK(look(elsewhere) == State::entered);
  auto second = groups.take("DEPLOY");
  CHECK(look(second) == State::waiting);
  auto third = groups.take("Deploy");
  CHECK(look(second) == State::cancelled);
  CHECK(look(first) == State::entered);
  CHECK(look(third) == State::waiting);
  first.reset();
  CHECK(look(third) == State::entered);
}

TEST_CASE("cancel-in-progress waits until the cancelled one has left") {
  Groups groups;
  auto first = groups.take("g"), second = groups.take("g", true);
  CHECK(look(first) == State::cancelled);
  CHECK(look(second) == State::waiting);
  first.reset();
  CHECK(look(second) == State::entered);
}

TEST_CASE("queue: max keeps the order, up to its limit") {
  Groups groups;
  auto first = groups.take("g");
  std::vector<std::unique_ptr<GroupPlace>> waiting;
  for (std::size_t i = 0; i < k_max_queue; ++i) waiting.push_back(groups.take("g", false, GroupQueue::many));
  CHECK(look(waiting.front()) == State::waiting);
  CHECK(look(waiting.back()) == State::waiting);
  CHECK(look(groups.take("g", false, GroupQueue::many)) == State::cancelled);
  first.reset();
  CHECK(look(waiting[1]) == State::waiting);
  CHECK(look(waiting[0]) == State::entered);
  waiting[0].reset();
  CHECK(look(waiting[1]) == State::entered);
}

TEST_CASE("what the dead left in a group counts for nothing") {
  Groups groups;
  groups.take("g").reset();
  std::string group;
  for (const auto& each : std::filesystem::directory_iterator(groups.dir.path() + "/groups")) group = each.path();
  for (const char* left : {"7", "7.entered", "8", "8.cancelled"}) REQUIRE(write_file_atomic(group + "/" + left, "").ok());
  CHECK(look(groups.take("g")) == State::entered);
  CHECK(!exists(group + "/7.entered"));
}
