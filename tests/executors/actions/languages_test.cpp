#include "executors/actions/csv.h"
#include "executors/actions/date_format.h"
#include "executors/actions/handlebars.h"
#include "executors/actions/js_regex.h"
#include "executors/actions/pep440.h"
#include "executors/actions/semver.h"
#include "executors/actions/text.h"
#include "executors/actions/version.h"
#include "tests/support/catch.h"

using namespace drydock;
using namespace drydock::actions;

TEST_CASE("lists of inputs") {
  struct Row {
    const char* text;
    ListOptions options;
    const char* items;  // joined by "|"; "!" for an error
  };
  const Row rows[] = {
      {"a,b\nc", {}, "a|b|c"},
      {" a , b ", {}, "a|b"},
      {"a,b\n\nc", {.commas = Commas::keep}, "a,b|c"},
      {"\"a,b\",c", {}, "a,b|c"},
      {"A=\"x\"\nB=1", {.commas = Commas::keep}, "A=\"x\"|B=1"},
      {"\"A=1\n2\"\nB", {.commas = Commas::keep}, "A=1\n2|B"},
      {"\"k=v \"\"w\"\"\"", {.commas = Commas::keep}, "k=v \"w\""},
      {"\"a\"b", {}, "\"a\"b"},
      {"type=local,dest=\"x", {.commas = Commas::keep, .quotes = Quotes::none}, "type=local,dest=\"x"},
      {"a # note\n# whole\nb", {.commas = Commas::keep, .comments = Comments::anywhere}, "a|b"},
      {"a # note\n# whole\nb", {.commas = Commas::keep, .comments = Comments::line_start}, "a # note|b"},
      {" a ", {.commas = Commas::keep, .blanks = Blanks::keep}, " a "},
      {"\"open", {}, "!"},
      {"", {}, ""},
  };
  for (const auto& row : rows) {
    INFO(row.text);
    const auto items = parse_list(row.text, row.options);
    CHECK((items ? join(*items, "|") : "!") == row.items);
  }
  CHECK(!first_record("a,b\"c").ok());
  CHECK(!first_record("").ok());
}

TEST_CASE("templates") {
  using handlebars::Function;
  const handlebars::Object context{
      {"name", "a<b>"}, {"zero", 0.0}, {"major", 12.0}, {"yes", true}, {"list", handlebars::List{"x", "y"}},
      {"inner", handlebars::Object{{"deep", "d"}}},
      {"say", Function([](const handlebars::Arguments& a) -> Result<handlebars::Value> {
         std::string text = "said";
         for (const auto& each : a.positional) text += " " + each.text();
         for (const auto& [key, value] : a.named) text += " " + key + ":" + value.text();
         return handlebars::Value(text);
       })}};
  const std::pair<const char*, const char*> rows[] = {
      {"plain", "plain"},
      {"{{name}} {{{name}}} {{&name}}", "a&lt;b&gt; a<b> a<b>"},
      {"{{major}}.{{zero}}.{{missing}}", "12.0."},
      {"{{say}} {{say 'it is' tz=\"Europe/Rome\"}}", "said said it is tz:Europe/Rome"},
      {"{{say (say 1) 2.5}}", "said said 1 2.5"},
      {"{{list}} {{list.[1]}} {{inner.deep}} {{inner/deep}}", "x,y y d d"},
      {"{{#if yes}}A{{else}}B{{/if}}{{#if missing}}A{{else}}B{{/if}}{{#unless zero}}C{{/unless}}", "ABC"},
      {"{{#if missing}}A{{else if yes}}B{{else}}C{{/if}}", "B"},
      {"{{#if say}}fn{{/if}}", "fn"},
      {"{{#each list}}[{{this}}]{{/each}}{{#with inner}}{{deep}}{{../major}}{{/with}}", "[x][y]d12"},
      {"{{#yes}}s{{/yes}}{{^yes}}n{{/yes}}{{^missing}}m{{/missing}}", "sm"},
      {"a {{~ name ~}} b{{! c }}{{!-- }} --}}", "aa&lt;b&gt;b"},
      {"\\{{name}} {{lookup inner 'deep'}}", "{{name}} d"},
  };
  for (const auto& [source, expected] : rows) {
    INFO(source);
    const auto text = handlebars::render(source, context);
    if (!text) FAIL(text.error().to_string());
    CHECK(*text == expected);
  }
  for (const auto* wrong : {"{{name", "{{#if yes}}", "{{/if}}", "{{nosuch 'x'}}", "{{> part}}", "{{{{raw}}}}", "{{say 'x}}", "{{say 'x' tz'y'}}", "{{#if yes}}{{/each}}"}) {
    INFO(wrong);
    CHECK(!handlebars::render(wrong, context).ok());
  }
  CHECK(handlebars::is_only("{{raw}}", "raw"));
  CHECK(!handlebars::is_only("v{{raw}}", "raw"));
}

TEST_CASE("semantic versions") {
  struct Row {
    const char *text, *version;
    int prerelease;
  };
  const Row rows[] = {{"v1.2.3", "1.2.3", 0}, {"1.2.3-rc.1+b.2", "1.2.3-rc.1", 2}, {"1.2.3--x", "1.2.3--x", 1}, {" 1.0.0 ", "1.0.0", 0}};
  for (const auto& row : rows) {
    const auto parsed = parse_semver(row.text);
    REQUIRE(parsed);
    CHECK(parsed->version() == row.version);
    CHECK(parsed->prerelease.size() == static_cast<std::size_t>(row.prerelease));
    CHECK(parsed->raw == row.text);
  }
  for (const auto* wrong : {"1.2", "1.2.3.4", "01.2.3", "1.2.3-01", "1.2.3-", "x1.2.3", "1.2.9007199254740992", ""}) CHECK(!parse_semver(wrong));
}

TEST_CASE("versions of Python packages") {
  const std::pair<const char*, const char*> rows[] = {
      {"1.2.3", "1.2.3"}, {"v1", "1"}, {"1!2.0", "1!2.0"}, {"1.0-ALPHA.2", "1.0a2"}, {"1.0rc1", "1.0rc1"}, {"1.0.preview", "1.0rc0"},
      {"1.0-1", "1.0.post1"}, {"1.0.rev2", "1.0.post2"}, {"1.0b1.post2.dev3+Local_01", "1.0b1.post2.dev3+local,1"}, {"1.0.dev", "1.0.dev0"}};
  for (const auto& [text, clean] : rows) {
    INFO(text);
    const auto parsed = parse_pep440(text);
    REQUIRE(parsed);
    CHECK(parsed->clean() == clean);
  }
  for (const auto* wrong : {"a", "1..2", "1.0+", "1.0-", " 1.0", "1.0x"}) CHECK(!parse_pep440(wrong));
}

TEST_CASE("JavaScript's regular expressions") {
  struct Row {
    const char *text, *pattern, *flags, *groups;  // joined by "|", "-" for a group without part, "!" for an error
  };
  const Row rows[] = {{"v1.2.3", "v(\\d.\\d)", "", "v1.2|1.2"}, {"p/v1", "\\/v(?<major>\\d)", "", "/v1|1"},  {"ABC", "b(x)?", "i", "B|-"},
                      {"a1b2", "\\d", "g", "1|2"},          {"x", "y", "", ""},                         {"x", "(", "", "!"},
                      {"x", "(?<=a)x", "", "!"},            {"a\nb", "a.b", "s", "a\nb"},              {"a-b", "[a\\-b]+", "", "a-b"}};
  for (const auto& row : rows) {
    INFO(row.pattern);
    const auto found = js_match(row.text, row.pattern, row.flags);
    if (std::string(row.groups) == "!") {
      CHECK(!found.ok());
      continue;
    }
    REQUIRE(found.ok());
    std::vector<std::string> groups;
    if (*found) {
      for (const auto& group : **found) groups.push_back(group.value_or("-"));
    }
    CHECK(join(groups, "|") == row.groups);
  }
}

TEST_CASE("dates") {
  // 2024-02-29 13:05:09.042 UTC, a Thursday.
  const std::int64_t time = 1709211909042;
  const std::pair<const char*, const char*> rows[] = {
      {"YYYYMMDD-HHmmss", "20240229-130509"}, {"YY.M.D", "24.2.29"},  {"dddd Do MMMM", "Thursday 29th February"}, {"ddd dd d", "Thu Th 4"},
      {"h:mm A", "1:05 PM"},                  {"DDD DDDD", "60 060"}, {"Q Qo", "1 1st"},                         {"W WW GGGG", "9 09 2024"},
      {"w ww gggg", "9 09 2024"},             {"SSS S", "042 0"},     {"X x", "1709211909 1709211909042"},       {"Z ZZ z", "+00:00 +0000 UTC"},
      {"[at] YYYY", "at 2024"},               {"\\YYYYY", "YYYYY"},   {"LL", "February 29, 2024"},               {"", "2024-02-29T13:05:09Z"}};
  for (const auto& [format, expected] : rows) CHECK(format_date(time, {0, "UTC"}, format) == expected);
  CHECK(format_date(time, {3600 * 5 + 1800, "IST"}, "HH:mm Z z") == "18:35 +05:30 IST");
  CHECK(iso_date(time) == "2024-02-29T13:05:09.042Z");
  // Weeks at the turn of the year: 2021-01-03 is a Sunday.
  CHECK(format_date(1609675200000, {}, "GGGG-[W]WW gggg-ww") == "2020-W53 2021-02");
}

TEST_CASE("time zones") {
  if (!zone_time("Europe/Rome", 0)) {
    WARN("skipped: no time zone tables on this machine");
    return;
  }
  CHECK(zone_time("Europe/Rome", 1709211909)->offset == 3600);
  CHECK(zone_time("Europe/Rome", 1719835200)->abbreviation == "CEST");
  CHECK(zone_time("America/New_York", 1709211909)->offset == -5 * 3600);
  CHECK(zone_time("America/New_York", 4086547200)->abbreviation == "EDT");  // 2099, by the rule at the table's end
  CHECK(!zone_time("Nowhere/Land", 0).ok());
  CHECK(!zone_time("../../etc/passwd", 0).ok());
}

TEST_CASE("versions that are served") {
  for (const auto* served : {"v3", "v4.1.0", "5", "main", "0123456789abcdef0123456789abcdef01234567"}) CHECK(serves_majors("a/b", served, {3, 5}).ok());
  for (const auto* refused : {"v2", "v6", "1.0"}) CHECK(!serves_majors("a/b", refused, {3, 5}).ok());
  CHECK(major_of("0123456789abcdef0123456789abcdef01234567") == std::nullopt);
  CHECK(version_of("docker/login-action@v3") == "v3");
}
