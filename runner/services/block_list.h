#pragma once
// The XML body of Azure's Put Block List. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "executors/base/result.h"

namespace drydock::runner {

/// The ids of <BlockList> in order, whatever list each is to be taken from (Latest, Uncommitted, Committed).
/// invalid_input for what is no such document, a document type, or more than 50,000 blocks.
Result<std::vector<std::string>> parse_block_list(std::string_view xml);

}  // namespace drydock::runner
