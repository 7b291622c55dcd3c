#include "parser/expression/eval_batch.h"

#include <sstream>

#include "tests/support/catch.h"

TEST_CASE("one line in, one line out") {
  std::istringstream in(
      "{\"expr\": \"A.b\", \"contexts\": {\"a\": {\"B\": [1, -0.0, 2.5, \"x\"]}}}\n"
      "\n"
      "{\"expr\": \"0/0\"}\n"
      "{\"expr\": \"a.\", \"contexts\": {\"a\": 1}}\n"
      "{\"expr\": \"fromJSON('')\", \"contexts\": {}}\n"
      "{\"expr\": 1}\n"
      "nonsense\n"
      "{\"expr\": \"NaN\", \"contexts\": {}}");
  std::ostringstream out;
  CHECK(drydock::parser::expression::run_eval_batch(in, out));
  CHECK(out.str() ==
        "{\"kind\":\"Array\",\"value\":[1,0,2.5,\"x\"]}\n"
        "{\"error\":{\"phase\":\"lexing\",\"message\":\"Unexpected symbol: '0/0'. Located at position 1 "
        "within expression: "
        "0/0\"}}\n"
        "{\"error\":{\"phase\":\"parsing\",\"message\":\"Unexpected end of expression: '.'. Located at "
        "position 2 within "
        "expression: a.\"}}\n"
        "{\"error\":{\"phase\":\"evaluation\",\"message\":\"Error parsing fromJson: unexpected end at byte "
        "1\"}}\n"
        "{\"error\":{\"phase\":\"input\",\"message\":\"expected an object with \\\"expr\\\" and "
        "\\\"contexts\\\"\"}}\n"
        "{\"error\":{\"phase\":\"input\",\"message\":\"expected an object with \\\"expr\\\" and "
        "\\\"contexts\\\"\"}}\n"
        "{\"kind\":\"Number\",\"value\":null}\n");
}

TEST_CASE("a closed output is told") {
  std::istringstream in("{\"expr\": \"1\"}\n");
  std::ostringstream out;
  out.setstate(std::ios::badbit);
  CHECK_FALSE(drydock::parser::expression::run_eval_batch(in, out));
}
