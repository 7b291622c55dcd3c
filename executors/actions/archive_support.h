#pragma once
// libarchive's errors as ours, and a locale in which names are UTF-8. Internal.

#include <locale.h>

#include <string>

#include "executors/base/archive_library.h"
#include "executors/base/result.h"

namespace drydock::actions {

inline Error archive_error(archive* handle, const std::string& doing, ErrorCode code = ErrorCode::io) {
  const char* text = archive_error_string(handle);
  return make_error(code, doing + ": " + (text ? text : "unknown error"));
}

/// libarchive reads and writes names in the thread's locale; the C locale knows no UTF-8. For the object's life.
class Utf8Locale {
 public:
  Utf8Locale() : locale_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (locale_) before_ = ::uselocale(locale_);
  }
  ~Utf8Locale() {
    if (!locale_) return;
    ::uselocale(before_);
    ::freelocale(locale_);
  }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  locale_t locale_;
  locale_t before_ = nullptr;
};

}  // namespace drydock::actions
