#pragma once
// The program that is the first process of containers (init/init.cpp), as bytes in this one. Internal to this room.

#include <string_view>

namespace drydock::container {

std::string_view init_binary();

}  // namespace drydock::container
