#pragma once
// libarchive's handles with their ends, its errors as ours, and a locale in which names are UTF-8. Internal.

#include <archive.h>
#include <locale.h>

#include <memory>
#include <string>

#include "executors/base/result.h"

namespace drydock::actions {

struct ReadEnd {
  void operator()(archive* handle) const { archive_read_free(handle); }
};
struct WriteEnd {
  void operator()(archive* handle) const { archive_write_free(handle); }
};
using ArchiveReader = std::unique_ptr<archive, ReadEnd>;
using ArchiveWriter = std::unique_ptr<archive, WriteEnd>;

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
