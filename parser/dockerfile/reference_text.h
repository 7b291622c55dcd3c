#pragma once
// Whether a text can name an image at all. Pure; thread-safe.

#include <string_view>

namespace drydock::parser::dockerfile {

/// [host[:port]/]path[:tag][@digest], lower-case path.
bool is_image_reference(std::string_view text);

}  // namespace drydock::parser::dockerfile
