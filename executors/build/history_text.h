#pragma once
// The `created_by` texts of an image's history, worded as BuildKit words them, since people and tools read
// them. Pure; the commands are expanded already.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "executors/oci/image.h"
#include "parser/dockerfile/expand.h"
#include "parser/dockerfile/instructions.h"

namespace drydock::build {

/// "ENV A=1 B=2", "LABEL …".
std::string pairs_history(const char* keyword, const std::vector<parser::dockerfile::KeyValue>& pairs);
/// "ARG A=1 B".
std::string arg_history(const std::vector<parser::dockerfile::ArgBinding>& bindings);
/// "RUN |1 A=1 /bin/sh -c make # buildkit".
std::string run_history(const std::vector<std::pair<std::string, std::string>>& args,
                        const std::vector<std::string>& arguments);
/// "COPY --chown=1:1 a b /x # buildkit"; `keyword` is COPY or ADD.
std::string transfer_history(const char* keyword, const parser::dockerfile::Transfer& transfer, bool parents);
/// "EXPOSE [80/tcp]", "VOLUME […]", "SHELL […]".
std::string list_history(const char* keyword, const std::vector<std::string>& words);
/// "CMD ["a" "b"]".
std::string quoted_history(const char* keyword, const std::vector<std::string>& words);
std::string healthcheck_history(const oci::Healthcheck& check);

}  // namespace drydock::build
