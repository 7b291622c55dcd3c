#pragma once
// Fields of tar headers. Internal to tar.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "executors/base/result.h"

namespace drydock::oci {

constexpr std::size_t k_tar_block = 512;

/// The archive is not what tar writes (corrupted): `what` is wrong with it.
Error broken_tar(std::string what);

/// Octal text, or GNU's base 256 when the first bit is set; nothing when it is neither.
std::optional<std::int64_t> tar_number(const char* field, std::size_t size);
/// Up to the first zero byte.
std::string tar_string(const char* field, std::size_t size);
/// "-12.5" as PAX writes times: seconds rounded down and the nanoseconds above.
bool pax_time(std::string_view text, std::int64_t& seconds, std::int64_t& nanoseconds);
/// All of it is a decimal number.
std::optional<std::uint64_t> pax_number(std::string_view text);
/// Percent escapes, in the names of LIBARCHIVE.xattr records.
std::string percent_decoded(std::string_view text);

}  // namespace drydock::oci
