#pragma once
// --annotation as buildx reads it: "[type[,type…][platform]:]key=value", type one of manifest, index,
// manifest-descriptor, index-descriptor; manifest when left out. Pure.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "executors/base/platform.h"
#include "executors/base/result.h"

namespace drydock::build {

enum class AnnotationPlace { manifest, index, manifest_descriptor, index_descriptor };

struct Annotation {
  AnnotationPlace place = AnnotationPlace::manifest;
  std::optional<Platform> platform;  // all when empty
  std::string key, value;
};

Result<std::vector<Annotation>> parse_annotations(const std::vector<std::string>& texts);

/// Those for one place; `platform` empty for index places.
std::map<std::string, std::string> annotations_for(const std::vector<Annotation>& all, AnnotationPlace place,
                                                   const std::optional<Platform>& platform);

}  // namespace drydock::build
