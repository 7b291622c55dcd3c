#include "executors/base/curl_library.h"

#include "executors/base/shared_library.h"

namespace drydock {
namespace {

struct LoadedCurl {
  LoadedCurl() {
    SharedLibrary library("libcurl.so.4");
    library.get(functions.easy_cleanup, "curl_easy_cleanup");
    library.get(functions.easy_getinfo, "curl_easy_getinfo");
    library.get(functions.easy_init, "curl_easy_init");
    library.get(functions.easy_perform, "curl_easy_perform");
    library.get(functions.easy_reset, "curl_easy_reset");
    library.get(functions.easy_setopt, "curl_easy_setopt");
    library.get(functions.easy_strerror, "curl_easy_strerror");
    library.get(functions.getdate, "curl_getdate");
    library.get(functions.global_init, "curl_global_init");
    library.get(functions.share_cleanup, "curl_share_cleanup");
    library.get(functions.share_init, "curl_share_init");
    library.get(functions.share_setopt, "curl_share_setopt");
    library.get(functions.slist_append, "curl_slist_append");
    library.get(functions.slist_free_all, "curl_slist_free_all");
    library.get(functions.version_info, "curl_version_info");
    problem = library.problem();
    if (!problem.empty()) return;
    const auto code = functions.global_init(CURL_GLOBAL_DEFAULT);
    if (code != CURLE_OK) problem = std::string("libcurl cannot start: ") + functions.easy_strerror(code);
  }

  CurlLibrary functions{};
  std::string problem;
};

}  // namespace

Result<const CurlLibrary*> curl_library() {
  static const LoadedCurl loaded;
  if (!loaded.problem.empty()) return make_error(ErrorCode::environment, loaded.problem);
  return &loaded.functions;
}

}  // namespace drydock
