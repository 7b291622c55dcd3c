#include "runner/schedule/job_slots.h"

#include <string>
#include <thread>

#include "tests/runner/schedule/support.h"

using namespace drydock;
using namespace drydock::runner;
using namespace drydock::runner::test;

TEST_CASE("a slot that comes back is told to all others") {
  JobSlots slots(1);
  int first = 0, second = 0;
  const int own = slots.listen([&] { ++first; });
  const int other = slots.listen([&] { ++second; });
  CHECK(slots.take());
  CHECK_FALSE(slots.take());
  slots.give(own);
  CHECK(first == 0);
  CHECK(second == 1);
  CHECK(slots.take());
  slots.forget(other);
  slots.give();
  CHECK(first == 1);
  CHECK(second == 1);
}

TEST_CASE("a workflow waits for the slots that others have") {
  const auto slots = std::make_shared<JobSlots>(1);
  REQUIRE(slots->take());
  std::jthread other;
  std::string order;
  const auto ran = run("on: push\njobs:\n  a:\n    runs-on: linux\n    steps: [{run: echo}]\n",
                       {.change = [&](RunOptions& options) {
                          options.slots = slots;
                          options.on_start = [&](const std::string&) {
                            other = std::jthread([&] {
                              order += "given ";
                              slots->give();
                            });
                          };
                        },
                        .on_event = [&](const Event& event) { if (event.kind == EventKind::job_started) order += "started"; }});
  CHECK(ran.conclusions() == "a=success");
  CHECK(order == "given started");
  CHECK(slots->take());  // it has given back its own
}
