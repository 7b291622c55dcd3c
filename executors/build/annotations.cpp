#include "executors/build/annotations.h"

#include <regex>

namespace drydock::build {

namespace {

std::optional<AnnotationPlace> place_named(const std::string& name) {
  if (name == "manifest") return AnnotationPlace::manifest;
  if (name == "index") return AnnotationPlace::index;
  if (name == "manifest-descriptor") return AnnotationPlace::manifest_descriptor;
  if (name == "index-descriptor") return AnnotationPlace::index_descriptor;
  return std::nullopt;
}

Status add(const std::string& text, std::vector<Annotation>& all) {
  // A key may hold a colon itself; only a known type before the first one is a type.
  static const std::regex form(
      R"(^((?:manifest|index|manifest-descriptor|index-descriptor)(?:\[[^\]]*\])?(?:,(?:manifest|index|manifest-descriptor|index-descriptor)(?:\[[^\]]*\])?)*):(.*)$)");
  std::string types = "manifest";
  auto rest = text;
  std::smatch match;
  if (std::regex_match(text, match, form)) {
    types = match[1];
    rest = match[2];
  }
  const auto equals = rest.find('=');
  if (equals == std::string::npos || equals == 0) {
    return make_error(ErrorCode::usage, "annotation \"" + text + "\" is not key=value",
                      "write it as key=value, or index:key=value");
  }
  std::size_t begin = 0;
  while (begin <= types.size()) {
    auto end = types.find(',', begin);
    if (end == std::string::npos) end = types.size();
    auto type = types.substr(begin, end - begin);
    Annotation annotation;
    if (const auto bracket = type.find('['); bracket != std::string::npos) {
      DRYDOCK_ASSIGN(annotation.platform, parse_platform(type.substr(bracket + 1, type.size() - bracket - 2)));
      type.resize(bracket);
    }
    annotation.place = place_named(type).value_or(AnnotationPlace::manifest);
    annotation.key = rest.substr(0, equals);
    annotation.value = rest.substr(equals + 1);
    all.push_back(std::move(annotation));
    begin = end + 1;
  }
  return {};
}

}  // namespace

Result<std::vector<Annotation>> parse_annotations(const std::vector<std::string>& texts) {
  std::vector<Annotation> all;
  for (const auto& text : texts) DRYDOCK_TRY(add(text, all));
  return all;
}

std::map<std::string, std::string> annotations_for(const std::vector<Annotation>& all, AnnotationPlace place,
                                                   const std::optional<Platform>& platform) {
  std::map<std::string, std::string> chosen;
  for (const auto& annotation : all) {
    if (annotation.place != place) continue;
    if (annotation.platform && platform && *annotation.platform != *platform) continue;
    chosen[annotation.key] = annotation.value;
  }
  return chosen;
}

}  // namespace drydock::build
