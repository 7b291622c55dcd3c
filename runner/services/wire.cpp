#include "runner/services/wire.h"

#include <array>
#include <chrono>
#include <ctime>

namespace drydock::runner {
namespace {

constexpr std::size_t k_most_json = 4 << 20;

struct TwirpCode {
  std::string_view code;
  int status;
};
constexpr std::array k_twirp_codes{
    TwirpCode{"invalid_argument", 400}, TwirpCode{"malformed", 400},       TwirpCode{"unauthenticated", 401},
    TwirpCode{"permission_denied", 403}, TwirpCode{"not_found", 404},      TwirpCode{"bad_route", 404},
    TwirpCode{"already_exists", 409},   TwirpCode{"failed_precondition", 412},
};

class JsonReader : public BodyReader {
 public:
  JsonReader(std::function<HttpReply(const Json&)> then, std::function<HttpReply(const std::string&)> refuse)
      : then_(std::move(then)), refuse_(std::move(refuse)) {}

  std::optional<HttpReply> take(std::string_view piece) override {
    if (text_.size() + piece.size() > k_most_json) return refuse_("the request is too large");
    text_ += piece;
    return std::nullopt;
  }

  HttpReply finish() override {
    const auto json = parse_json(text_, "the request");
    if (!json) return refuse_(json.error().message);
    if (!json->is_object()) return refuse_("the request is no JSON object");
    return then_(*json);
  }

 private:
  std::function<HttpReply(const Json&)> then_;
  std::function<HttpReply(const std::string&)> refuse_;
  std::string text_;
};

std::string xml_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else if (c == '&') out += "&amp;";
    else out += c;
  }
  return out;
}

}  // namespace

HttpReply json_reply(int status, const Json& json) {
  return {.status = status, .headers = {{"Content-Type", "application/json"}}, .body = dump_json(json), .file = {}};
}

HttpReply twirp_error(std::string_view code, const std::string& message) {
  int status = 500;
  for (const auto& known : k_twirp_codes) {
    if (known.code == code) status = known.status;
  }
  return json_reply(status, {{"code", code}, {"msg", message}});
}

HttpReply message_reply(int status, const std::string& message) { return json_reply(status, {{"message", message}}); }

HttpReply blob_error(int status, std::string_view code, const std::string& message) {
  return {.status = status,
          .headers = {{"Content-Type", "application/xml"}, {"x-ms-error-code", std::string(code)}},
          .body = "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>" + std::string(code) + "</Code><Message>" +
                  xml_text(message) + "</Message></Error>",
          .file = {}};
}

std::unique_ptr<BodyReader> json_reader(std::function<HttpReply(const Json&)> then,
                                        std::function<HttpReply(const std::string&)> refuse) {
  return std::make_unique<JsonReader>(std::move(then), std::move(refuse));
}

std::string http_date(Time time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return text.data();
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view k_digits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += k_digits[static_cast<unsigned char>(c) >> 4];
    out += k_digits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

std::string message_text(const Json& message, const char* snake_case, const char* camel_case) {
  auto found = message.find(snake_case);
  if (found == message.end()) found = message.find(camel_case);
  if (found == message.end()) return {};
  if (found->is_string()) return found->get<std::string>();
  if (found->is_number_integer()) return found->dump();
  // A wrapper message that was written out.
  if (found->is_object() && found->contains("value")) return message_text(*found, "value", "value");
  return {};
}

bool is_plain_text(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == 0x7f) return false;
    std::size_t more = c < 0x80 ? 0 : c >= 0xc2 && c < 0xe0 ? 1 : c >= 0xe0 && c < 0xf0 ? 2 : c >= 0xf0 && c < 0xf5 ? 3 : 4;
    if (more == 4 || i + more >= text.size() + (more == 0)) return false;
    for (++i; more > 0; --more, ++i) {
      if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) return false;
    }
  }
  return true;
}

}  // namespace drydock::runner
