#pragma once
// Lists in inputs, split by the rules of the originals: CSV records, one a line, quotes kept when they are out
// of place. Pure functions.

#include <string>
#include <string_view>
#include <vector>

#include "executors/base/result.h"

namespace drydock::actions {

enum class Quotes { strict, relaxed, none };
/// "#" to the end of the line. `line_start`: only where the line begins with it.
enum class Comments { none, anywhere, line_start };

struct CsvOptions {
  Quotes quotes = Quotes::strict;
  Comments comments = Comments::none;
};

using CsvRecord = std::vector<std::string>;
/// Empty lines are left out. usage: a quote that is never closed, or (strict) one in the wrong place.
Result<std::vector<CsvRecord>> parse_csv(std::string_view text, CsvOptions options = {});
/// The first record; usage when there is none.
Result<CsvRecord> first_record(std::string_view text);

enum class Commas { separate, keep };
enum class Blanks { trim, keep };
struct ListOptions {
  Commas commas = Commas::separate;
  Quotes quotes = Quotes::relaxed;
  Comments comments = Comments::none;
  Blanks blanks = Blanks::trim;
};
/// An input's items: each line, or with Commas::separate each field of each line; empty ones are left out.
Result<std::vector<std::string>> parse_list(std::string_view text, ListOptions options = {});

}  // namespace drydock::actions
