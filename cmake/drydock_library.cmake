# Headers are more than half of what a file costs the compiler, so the files of a room can be compiled several at a
# time. Then no two of them may give a name in their unnamed namespaces different meanings.
function(drydock_unity target)
  if(DRYDOCK_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
    # The compiler takes the files for headers, where both would be worth a warning.
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage -Wno-maybe-uninitialized>)
  endif()
endfunction()

# The headers that most files read, read once: a file then compiles in a third of the time (clang). Not together with
# unity, which reads them once for eight files.
if(DRYDOCK_PRECOMPILED)
  add_library(drydock_precompiled STATIC ${PROJECT_SOURCE_DIR}/cmake/precompiled.cpp)
  target_link_libraries(drydock_precompiled PUBLIC nlohmann_json::nlohmann_json CLI11::CLI11 Threads::Threads)
  target_precompile_headers(drydock_precompiled PRIVATE ${PROJECT_SOURCE_DIR}/cmake/precompiled.h)
endif()
function(drydock_precompiled target)
  if(DRYDOCK_PRECOMPILED)
    target_precompile_headers(${target} REUSE_FROM drydock_precompiled)
  endif()
endfunction()

# drydock_library(<layer> <room> [SEPARATE] [DEPS <targets>...] [PRIVATE <targets>...])
#
# One static library for each room (sub-folder) of a layer (top-level folder),
# with every .cpp file of that room. A room links only what it names, and a
# layer's rooms may name rooms of the layers below only: parser <- executors <- runner.
# SEPARATE: its files repeat names on purpose and are always compiled one by one.
set(DRYDOCK_LAYERS parser executors runner)

function(drydock_library layer room)
  cmake_parse_arguments(ARG "SEPARATE" "" "DEPS;PRIVATE" ${ARGN})
  set(target drydock_${layer}_${room})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${room}/*.cpp)
  file(GLOB headers CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${room}/*.h)
  list(FIND DRYDOCK_LAYERS ${layer} own_rank)

  foreach(dep IN LISTS ARG_DEPS ARG_PRIVATE)
    if(dep MATCHES "^drydock_([a-z]+)_")
      list(FIND DRYDOCK_LAYERS ${CMAKE_MATCH_1} dep_rank)
      if(dep_rank GREATER own_rank)
        message(FATAL_ERROR "${target} must not link ${dep}: ${layer} lies below ${CMAKE_MATCH_1}")
      endif()
    endif()
  endforeach()
  foreach(file IN LISTS sources headers)
    file(STRINGS ${file} includes REGEX "^#include \"(parser|executors|runner)/")
    foreach(line IN LISTS includes)
      string(REGEX MATCH "\"(parser|executors|runner)/" unused "${line}")
      list(FIND DRYDOCK_LAYERS ${CMAKE_MATCH_1} used_rank)
      if(used_rank GREATER own_rank)
        message(FATAL_ERROR "${file}: ${line}: ${layer} lies below ${CMAKE_MATCH_1}")
      endif()
    endforeach()
  endforeach()

  if(sources)
    add_library(${target} STATIC ${sources})
    set(scope PUBLIC)
    drydock_precompiled(${target})
    if(NOT ARG_SEPARATE)
      drydock_unity(${target})
    endif()
    target_compile_options(${target} PRIVATE -Wall -Wextra -Wno-missing-field-initializers)
    if(DRYDOCK_WERROR)
      target_compile_options(${target} PRIVATE -Werror)
    endif()
    target_link_libraries(${target} PRIVATE ${ARG_PRIVATE})
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(${target} ${scope} ${PROJECT_SOURCE_DIR})
  target_link_libraries(${target} ${scope} ${ARG_DEPS} Threads::Threads)
endfunction()
