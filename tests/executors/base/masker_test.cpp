#include "executors/base/masker.h"

#include "tests/support/catch.h"

#include <random>

using drydock::Masker;

namespace {

std::string streamed(const Masker& masker, const std::string& text, std::size_t piece) {
  Masker::Stream stream(masker);
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += piece) out += stream.feed(text.substr(i, piece));
  return out + stream.flush();
}

}  // namespace

TEST_CASE("secrets are masked in each of their forms") {
  Masker masker;
  masker.add("pa\"ss w&rd<1>");
  const std::vector<std::pair<std::string, std::string>> table = {
      {"x pa\"ss w&rd<1> y", "x *** y"},           {"cGEic3MgdyZyZDwxPg==", "***"},  // base64, alone
      {"dXNlcjpwYSJzcyB3JnJkPDE+", "dXNlcjp***"},  // base64 of "user:" and it
      {"YWI6cGEic3MgdyZyZDwxPg==", "YWI6***"},      // after three bytes
      {"eDpwYSJzcyB3JnJkPDE+", "eDp***"},          // after two bytes
      {"pa%22ss%20w%26rd%3C1%3E", "***"},          {"pa%22ss+w%26rd%3C1%3E", "***"},
      {"pa%22ss%20w%26rd%3c1%3e", "***"},          {R"({"p":"pa\"ss w&rd<1>"})", R"({"p":"***"})"},
      {"pa&quot;ss w&amp;rd&lt;1&gt;", "***"},     {"nothing of it", "nothing of it"},
  };
  for (const auto& [text, expected] : table) {
    INFO(text);
    CHECK(masker.mask(text) == expected);
    for (const std::size_t piece : {1, 2, 3, 7}) CHECK(streamed(masker, text, piece) == expected);
  }
}

TEST_CASE("each line of a secret is masked, single characters are not") {
  Masker masker;
  masker.add("-----BEGIN KEY-----\nMIIBVgIBADANBg\r\n}\n-----END KEY-----\n");
  CHECK(masker.mask("key: MIIBVgIBADANBg.") == "key: ***.");
  CHECK(masker.mask("{}") == "{}");
  masker.add("x");
  masker.add("");
  masker.add("\n");
  CHECK(masker.mask("x-ray\n") == "x-ray\n");
}

TEST_CASE("overlapping and touching secrets become one mask") {
  Masker masker;
  masker.add("abcdef");
  masker.add("defghi");
  masker.add("abc");
  const std::vector<std::pair<std::string, std::string>> table = {
      {"abcdefghi", "***"}, {"abcabc", "***"}, {"abc abc", "*** ***"}, {"abcdeX", "***deX"},
      {"abcdefg", "***g"},  {"ab", "ab"},      {"abc", "***"},         {"xdefghi", "x***"},
  };
  for (const auto& [text, expected] : table) {
    INFO(text);
    CHECK(masker.mask(text) == expected);
    for (const std::size_t piece : {1, 2, 4}) CHECK(streamed(masker, text, piece) == expected);
  }
}

TEST_CASE("a stream holds back only what may become a secret") {
  Masker masker;
  masker.add("hunter2");
  Masker::Stream stream(masker);
  CHECK(stream.feed("login as hunt") == "login as ");
  CHECK(stream.feed("ing") == "hunting");
  CHECK(stream.feed(" hunter") == " ");
  CHECK(stream.feed("2!") == "***!");
  CHECK(stream.flush().empty());
}

TEST_CASE("a long run of secrets is not held in memory") {
  Masker masker;
  masker.add("abcd");
  Masker::Stream stream(masker);
  std::string out;
  for (int i = 0; i < 1000; ++i) out += stream.feed("abcd");
  CHECK(out + stream.flush() == "***");
}

TEST_CASE("streaming agrees with masking at once, for any cut") {
  std::mt19937 random(7);
  const std::string alphabet = "aab";
  const auto text_of = [&](std::size_t size) {
    std::string text;
    while (text.size() < size) text += alphabet[random() % alphabet.size()];
    return text;
  };
  for (int round = 0; round < 300; ++round) {
    Masker masker;
    std::vector<std::string> secrets;
    for (int i = 0; i < 3; ++i) {
      secrets.push_back(text_of(2 + random() % 5));
      masker.add(secrets.back());
    }
    const auto text = text_of(40);
    // The plain reference: mark every byte of every occurrence, then replace each marked run.
    std::vector<bool> marked(text.size());
    for (const auto& secret : secrets) {
      for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at + 1)) {
        std::fill_n(marked.begin() + static_cast<long>(at), secret.size(), true);
      }
    }
    std::string expected;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (!marked[i])
        expected += text[i];
      else if (i == 0 || !marked[i - 1])
        expected += "***";
    }
    INFO(text << " with " << secrets[0] << " " << secrets[1] << " " << secrets[2]);
    CHECK(masker.mask(text) == expected);
    CHECK(streamed(masker, text, 1 + random() % 6) == expected);
  }
}
