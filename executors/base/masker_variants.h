#pragma once
// The forms in which a secret may turn up in output. Used by masker.cpp alone; pure.

#include <string>
#include <string_view>
#include <vector>

namespace drydock {

/// The secret itself, its lines, and the encodings of each; nothing so short that it would mask ordinary
/// text.
std::vector<std::string> forms_of_secret(std::string_view secret);

}  // namespace drydock
