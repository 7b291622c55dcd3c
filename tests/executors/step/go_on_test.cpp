#include "executors/step/go_on.h"
#include "tests/executors/step/support.h"

using namespace drydock;
using namespace drydock::step;
using namespace drydock::step::test;

namespace {

/// What `first` leaves, as a later run reads it.
GoOn after(const Ran& first, std::size_t step) {
  REQUIRE(first.result.trail);
  return {.first = step, .run = "1", .trail = job_trail_from(OrderedJson::parse(to_json(*first.result.trail).dump()))};
}

/// The second run stands in its own workspace; where it lies is the schedule's business.
Ran go_on(const Ran& first, std::size_t step, const std::string& yaml, Setting setting = {}) {
  const GoOn go_on = after(first, step);
  setting.change = [go_on](JobRequest& request) { request.go_on = go_on; };
  return run(yaml, setting);
}

std::string kept(const std::string& text) {
  Masker masker;
  for (const char* secret : {"harbour", "harbour-master", "masked"}) masker.add(secret);
  const KeptText kept = keep_text(text, {{"A", "harbour"}, {"B", "harbour-master"}, {"EMPTY", ""}}, masker);
  if (kept.withheld) return "(withheld)";
  std::string out;
  for (const auto& piece : kept.pieces) out += piece.is_secret ? "<" + piece.text + ">" : piece.text;
  return out;
}

}  // namespace

TEST_CASE("kept texts name secrets") {
  CHECK(kept("").empty());
  CHECK(kept("plain") == "plain");
  CHECK(kept("harbour") == "<A>");
  CHECK(kept("a harbour-master and a harbour.") == "a <B> and a <A>.");
  CHECK(kept("harbourharbour") == "<A><A>");
  CHECK(kept("masked") == "(withheld)");
  CHECK(kept("harbour masked") == "(withheld)");
  CHECK(kept("aGFyYm91cg==") == "(withheld)");  // harbour in base64

  Masker masker;
  masker.add("harbour");
  const KeptText text = keep_text("x harbour y", {{"A", "harbour"}}, masker);
  CHECK(*read_kept(text, {{"A", "haven"}}) == "x haven y");
  CHECK(read_kept(text, {}).error().message == "the secret 'A' is not given");
}

TEST_CASE("steps are found by what people call them") {
  const auto request = request_of("    steps:\n      - id: a\n        run: echo one\n      - name: Two ${{ 1 }}\n        run: x\n      - run: echo same\n      - run: echo same\n");
  const JobTrail known{.stages = {{.position = "2", .name = "Two 1"}}};
  CHECK(*find_step(request, known, "a") == 0);
  CHECK(*find_step(request, known, "1") == 0);
  CHECK(*find_step(request, known, "4") == 3);
  CHECK(*find_step(request, known, "Run echo one") == 0);
  CHECK(*find_step(request, known, "Two 1") == 1);
  CHECK(*find_step(request, known, "Two ${{ 1 }}") == 1);
  for (const char* wrong : {"0", "5", "b", "", "__run", "1x"}) CHECK(find_step(request, known, wrong).error().code == ErrorCode::usage);
  CHECK(find_step(request, known, "Run echo same").error().message.find("several steps") != std::string::npos);
}

TEST_CASE("a job goes on with what its steps left") {
  const std::string yaml = R"(    steps:
      - id: a
        run: |
          echo "one ran"
          echo "out=o $S" >>"$GITHUB_OUTPUT"
          echo "VAR=v" >>"$GITHUB_ENV"
          echo "/extra" >>"$GITHUB_PATH"
          echo "::add-matcher::m.json"
          printf 'image@sha256:%064d\n' 7 >>"$GITHUB_ARTIFACTS"
        env: {S: "${{ secrets.S }}"}
      - id: b
        run: exit 3
        continue-on-error: true
      - id: skipped
        if: failure()
        run: echo never
      - run: |
          echo "left ${{ steps.a.outputs.out == format('o {0}', secrets.S) }} ${{ steps.b.outcome }} ${{ steps.b.conclusion }} ${{ steps.skipped.outcome }} $VAR"
          case $PATH in /extra:*) echo "with path";; esac
          echo "BAD here"
          cat "$GITHUB_ARTIFACTS_LIST"
)";
  const Setting setting{.secrets = {{"S", "tide-table"}},
                        .files = {{"m.json", R"({"problemMatcher":[{"owner":"m","pattern":[{"regexp":"^BAD (.*)$","message":1}]}]})"}}};
  const auto first = run(yaml, setting);
  CHECK(first.conclusions() == "success failure/success skipped success");
  CHECK(to_json(*first.result.trail).dump().find("tide-table") == std::string::npos);
  Setting second = setting;
  second.files.clear();  // the matcher's file may be gone
  const auto ran = go_on(first, 3, yaml, second);
  CHECK(ran.conclusions() == "success failure/success skipped success");
  CHECK_FALSE(ran.logged("one ran"));
  CHECK(ran.logged("left true failure success skipped v"));
  CHECK(ran.logged("with path"));
  CHECK(ran.said("error: here"));
  CHECK(ran.logged(R"("name":"image")"));
  // What it leaves serves a third run as well.
  CHECK(go_on(ran, 3, yaml, second).logged("left true failure success skipped v"));
}

TEST_CASE("a step that failed before stays failed") {
  const std::string yaml = "    steps:\n      - run: exit 1\n      - run: echo no\n      - if: failure()\n        run: echo sorry\n";
  const auto ran = go_on(run(yaml), 1, yaml);
  CHECK(ran.conclusions() == "failure skipped success");
  CHECK(ran.result.conclusion == Outcome::failure);
  CHECK(ran.said("warning: a step before it failed there"));
}

TEST_CASE("background steps that were waited for are taken") {
  const std::string yaml = "    steps:\n      - {id: late, background: true, run: 'echo a=1 >>$GITHUB_OUTPUT; echo L=2 >>$GITHUB_ENV'}\n"
                           "      - run: echo meanwhile\n      - wait: late\n      - run: 'echo got ${{ steps.late.outputs.a }} $L'\n";
  const auto first = run(yaml);
  const auto ran = go_on(first, 3, yaml);
  CHECK(ran.logged("got 1 2"));
  CHECK_FALSE(ran.logged("meanwhile"));
  const auto refused = go_on(first, 1, yaml);
  CHECK(refused.said("runs in the background beyond the step to begin with"));
}

TEST_CASE("what cannot be gone on with is refused") {
  struct Case {
    const char *name, *first, *second, *said;
    std::size_t step = 1;
  };
  const Case cases[] = {
      {"another step", "- run: echo a\n      - run: x", "- run: echo b\n      - run: x", "step 1 of job 'job' is not what it was in run 1"},
      {"masks", "- run: 'echo ::add-mask::sealed'\n      - run: x", nullptr, "masked values that are not kept"},
      {"not reached", "- run: echo a", "- run: echo a\n      - run: b\n      - run: c", "step 2 of job 'job' did not run", 2},
  };
  for (const auto& each : cases) {
    INFO(each.name);
    const auto text = [](const char* steps) { return "    steps:\n      " + std::string(steps) + "\n"; };
    const auto ran = go_on(run(text(each.first)), each.step, text(each.second ? each.second : each.first));
    CHECK(ran.result.conclusion == Outcome::failure);
    CHECK(ran.result.steps.empty());
    CHECK(ran.said(each.said));
  }

  const std::string yaml = "    steps:\n      - run: echo V=$S >>$GITHUB_ENV\n        env: {S: '${{ secrets.S }}'}\n      - run: 'true'\n";
  const auto first = run(yaml, {.secrets = {{"S", "tide-table"}}});
  CHECK(go_on(first, 1, yaml).said("holds the secret 'S', which is not given"));

  for (const auto& [change, said] : {std::pair<std::function<void(JobRequest&)>, const char*>
           {[](JobRequest& request) { request.go_on->trail.outside = OutsideChanges::lost; }, "ended with its sandbox"},
           {[](JobRequest& request) { request.go_on->trail.isolation = "sandbox"; }, "ran in isolation 'sandbox'"},
           {[](JobRequest& request) { request.go_on->trail.stages[0].environment[0].second.withheld = true; }, "may hold a secret, and was not kept"}}) {
    JobRequest request = request_of(yaml);
    request.secrets = {"S"};
    request.go_on = after(first, 1);
    CHECK(check_go_on(request).empty());
    change(request);
    const auto problems = check_go_on(request);
    REQUIRE(problems.size() == 1);
    CHECK(format_line(problems.front()).find(said) != std::string::npos);
  }
}

TEST_CASE("a step that logged in is run again, and those after it find its login") {
  const std::string yaml = "    steps:\n      - run: 'echo once'\n      - run: 'echo logged in; echo {} >$DOCKER_CONFIG/config.json'\n"
                           "      - run: 'echo between'\n      - run: 'test -e $DOCKER_CONFIG/config.json && echo with login'\n";
  const auto ran = go_on(run(yaml), 3, yaml);
  CHECK(ran.conclusions() == "success success success success");
  CHECK(ran.logged("logged in"));
  CHECK(ran.logged("with login"));
  CHECK_FALSE(ran.logged("once"));
  CHECK_FALSE(ran.logged("between"));
}

TEST_CASE("what a later step masks is not kept of an earlier one") {
  const std::string yaml = "    steps:\n      - run: echo V=sealed-orders >>$GITHUB_ENV\n      - run: echo ::add-mask::$V\n      - run: 'true'\n";
  const auto first = run(yaml);
  CHECK(to_json(*first.result.trail).dump().find("sealed-orders") == std::string::npos);
  CHECK(go_on(first, 1, yaml).said("environment variable 'V' may hold a secret, and was not kept"));
}

TEST_CASE("fingerprints tell what a step does, not where it stands") {
  const auto of = [](const std::string& step) { return fingerprint_of(request_of("    steps:\n      " + step + "\n").steps.back()); };
  CHECK(of("- run: a") == of("\n      - run: a"));
  CHECK(of("- run: a") != of("- run: b"));
  CHECK(of("- run: a") != of("- {run: a, env: {X: y}}"));
  CHECK(of("- run: ${{ github.sha }}") != of("- run: github.sha"));
  CHECK(of("- {run: a, if: always()}") != of("- run: a"));
}

TEST_CASE("post steps that are due run, and those that are done do not") {
  const Files action{{"action.yml", "name: n\nruns: {using: node20, main: m.js, post: p.js, post-if: success()}\n"},
                     {"m.js", "require('fs').appendFileSync(process.env.GITHUB_STATE, 'kept=from main\\n')"},
                     {"p.js", "console.log('post with ' + process.env.STATE_kept)"}};
  Trees source({{"o/a@v1", action}});
  const std::string yaml = "    steps:\n      - uses: o/a@v1\n      - run: '${{ vars.END }}'\n";
  const auto vars = [](const char* end) { return [end](JobRequest& request) { request.vars = {{"END", end}}; }; };
  const auto failed = run(yaml, {.source = &source, .change = vars("exit 1")});
  if (failed.said("JavaScript actions need Node")) return;
  CHECK(failed.conclusions() == "success failure skipped");
  const auto second = [&](const Ran& first) {
    const GoOn go_on = after(first, 1);
    return run(yaml, {.source = &source, .change = [go_on](JobRequest& request) {
                        request.vars = {{"END", "true"}};
                        request.go_on = go_on;
                      }});
  };
  const auto ran = second(failed);
  CHECK(ran.conclusions() == "success success success");
  CHECK(ran.logged("post with from main"));
  const auto again = second(ran);
  CHECK(again.conclusions() == "success success success");
  CHECK_FALSE(again.logged("post with from main"));
}
