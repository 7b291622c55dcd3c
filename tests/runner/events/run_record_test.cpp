#include "runner/events/run_record.h"

#include <functional>

#include "tests/support/catch.h"

using namespace drydock;
using namespace drydock::runner;
using namespace std::chrono_literals;

namespace {

struct Kept {
  TempDir home = std::move(*TempDir::create("", "drydock-runs-test-"));

  std::string dir(const std::string& id) const { return home.path() + "/" + id; }
  /// A run with a work folder and a lock that nobody holds.
  RunRecord add(const std::string& id, const std::function<void(RunRecord&)>& change = {}) const {
    RunRecord record;
    record.id = record.run = id;
    record.directory = "/clone";
    record.workflows = {{"a.yml", "A", Outcome::failure}};
    record.started = Time(1000h);
    record.finished = Time(1001h);
    record.conclusion = Outcome::failure;
    if (change) change(record);
    REQUIRE(make_directories(dir(id) + "/work/job").ok());
    REQUIRE(write_run(dir(id), record).ok());
    REQUIRE(hold_run(dir(id)).ok());
    return record;
  }
  bool works(const std::string& id) const { return is_directory(dir(id) + "/work"); }
};

}  // namespace

TEST_CASE("a record is read as it was written") {
  const Kept runs;
  const auto written = runs.add("1000", [](RunRecord& record) {
    record.run = "900";
    record.attempt = 3;
    record.keeps_workspace = true;
    record.jobs = {{"build", Outcome::success, 5ms, "a.yml"}};
  });
  const auto read = read_run(runs.dir("1000"));
  REQUIRE(read.ok());
  CHECK(read->run == "900");
  CHECK(read->attempt == 3);
  CHECK(read->keeps_workspace);
  CHECK(read->finished == written.finished);
  REQUIRE(read->jobs.size() == 1);
  CHECK(read->jobs[0].workflow == "a.yml");
  // One of an older drydock is the first attempt of itself.
  REQUIRE(write_file_atomic(runs.dir("1000") + "/run.json", R"({"schema": 1, "id": "1000", "started": "1970-02-01T00:00:00.000Z"})", 0644, Durability::relaxed).ok());
  CHECK(read_run(runs.dir("1000"))->run == "1000");
  CHECK(read_run(runs.dir("1000"))->attempt == 1);
}

TEST_CASE("work folders go when nobody asked for them") {
  const Kept runs;
  runs.add("1000");
  runs.add("1001", [](RunRecord& record) { record.keeps_workspace = true; });
  runs.add("1002", [](RunRecord& record) { record.directory = "/other"; });
  runs.add("1003", [](RunRecord& record) { record.workflows = {{"b.yml", "B", Outcome::failure}}; });
  runs.add("1004", [](RunRecord& record) {
    record.finished.reset();  // killed
    record.workflows = {{"b.yml", "B"}};
  });
  runs.add("1005");
  const auto held = hold_run(runs.dir("1005"));  // somebody stands in it
  const RunRecord starting = runs.add("1006", [](RunRecord& record) { record.finished.reset(); });
  const auto own = hold_run(runs.dir("1006"));
  reap_work_folders(runs.home.path(), starting);
  CHECK_FALSE(runs.works("1000"));
  CHECK(runs.works("1001"));
  CHECK(runs.works("1002"));
  CHECK(runs.works("1003"));
  CHECK_FALSE(runs.works("1004"));
  CHECK(runs.works("1005"));
  CHECK(runs.works("1006"));
}

TEST_CASE("attempts of one run are pruned together") {
  const Kept runs;
  runs.add("1000");
  runs.add("1001");
  runs.add("1002", [](RunRecord& record) {
    record.run = "1000";
    record.attempt = 2;
    record.finished = Time(1010h);
  });
  CHECK(*prune_runs(runs.home.path(), Time(1005h)) == 1);
  CHECK(is_directory(runs.dir("1000")));
  CHECK_FALSE(is_directory(runs.dir("1001")));
  CHECK(*prune_runs(runs.home.path(), Time(1011h)) == 2);
}
