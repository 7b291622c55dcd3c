#include "parser/workflow/cron.h"

#include "tests/support/catch.h"

using namespace drydock::parser::workflow;

TEST_CASE("cron lines") {
  for (const auto* good :
       {"*/5 * * * *", "0 0 * * sun", "0,30 1-5 1 jan-mar MON", "5/10 * * * *", "0 0 31 12 6"}) {
    INFO(good);
    CHECK_FALSE(schedule_problem(good));
  }
  for (const auto* bad : {"", "* * * *", "0 0 * * * *", "60 * * * *", "0 24 * * *", "0 0 0 * *", "0 0 * 13 *",
                          "0 0 * * 8", "@daily", "*/0 * * * *", "5-1 * * * *", "x * * * *", "*/4 * * * *",
                          "* * * * *", "0,2 * * * *", "59 * * * * "}) {
    INFO(bad);
    CHECK(schedule_problem(bad).has_value() == (std::string_view(bad) != "59 * * * * "));
  }
  CHECK(cron_problem("0 24 * * *") == "the cron line \"0 24 * * *\" cannot be read: \"24\" is no hour");
  CHECK_FALSE(cron_problem("*/4 * * * *"));
}
