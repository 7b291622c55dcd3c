#pragma once
// Answers and small encodings that the protocols of this room share: JSON, Twirp's errors, Azure's errors, dates,
// hex. Pure functions.

#include <memory>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "executors/base/json.h"
#include "executors/base/time.h"
#include "runner/services/http_server.h"

namespace drydock::runner {

HttpReply json_reply(int status, const Json& json);
/// {"code","msg"} with the status that Twirp gives the code ("not_found", "already_exists", …).
HttpReply twirp_error(std::string_view code, const std::string& message);
/// {"message"} as the first cache service writes its errors.
HttpReply message_reply(int status, const std::string& message);
/// An error of Azure's blob service: XML and x-ms-error-code.
HttpReply blob_error(int status, std::string_view code, const std::string& message);

/// Reads the whole body as one JSON object, then calls `then`; what is too large or no object is answered by `refuse`.
std::unique_ptr<BodyReader> json_reader(std::function<HttpReply(const Json&)> then,
                                        std::function<HttpReply(const std::string& why)> refuse);

/// RFC 9110: "Thu, 26 Nov 2026 00:00:00 GMT".
std::string http_date(Time time);

std::string hex(std::string_view bytes);

/// A member of a protobuf message in JSON, by either of its names; "" when absent. Numbers are given as text.
std::string message_text(const Json& message, const char* snake_case, const char* camel_case);

/// Well-formed UTF-8 without control characters.
bool is_plain_text(std::string_view text);

}  // namespace drydock::runner
