# meldevakt_library(<name> RING <n> SOURCES ... HEADERS ... DEPS ... PRIVATE_DEPS ...)
#
# One call per folder. RING is the architecture (DESIGN, "Layout and rings"): a library may depend
# only on lower rings, or on its own ring inside its own component; agent_* and collector_* never
# meet. Breaking the rule stops configuration, not a code review. DEPS are ours; PRIVATE_DEPS are
# third-party. What a file may include is checked from the table written here by scripts/check_rings.py.
#
# meldevakt_program(<name> SOURCES ... DEPS ... PRIVATE_DEPS ...)   a ring 4 executable
file(WRITE ${CMAKE_BINARY_DIR}/rings.txt "")

function(meldevakt_library name)
  cmake_parse_arguments(PARSE_ARGV 1 LIB "" "RING" "SOURCES;HEADERS;DEPS;PRIVATE_DEPS")
  if(LIB_UNPARSED_ARGUMENTS OR NOT DEFINED LIB_RING)
    message(FATAL_ERROR "meldevakt_library(${name}): RING is required; not understood: ${LIB_UNPARSED_ARGUMENTS}")
  endif()
  if(LIB_SOURCES)
    add_library(${name} STATIC ${LIB_SOURCES})
    target_link_libraries(${name} PRIVATE meldevakt_flags ${LIB_PRIVATE_DEPS})
    set(scope PUBLIC)
  else()
    add_library(${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_sources(${name} ${scope}
    FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR} FILES ${LIB_HEADERS})
  target_compile_features(${name} ${scope} cxx_std_20)
  target_link_libraries(${name} ${scope} ${LIB_DEPS})
  set_target_properties(${name} PROPERTIES
    MELDEVAKT_RING ${LIB_RING}
    VERIFY_INTERFACE_HEADER_SETS ON)  # each header must compile on its own
  foreach(dep IN LISTS LIB_DEPS)
    meldevakt_check_direction(${name} ${LIB_RING} ${dep})
  endforeach()
  file(RELATIVE_PATH folder ${PROJECT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
  file(APPEND ${CMAKE_BINARY_DIR}/rings.txt "${name} ${LIB_RING} ${folder} ${LIB_DEPS}\n")
endfunction()

function(meldevakt_check_direction from from_ring to)
  get_target_property(to_ring ${to} MELDEVAKT_RING)
  string(REGEX MATCH "^[a-z]+" from_component ${from})
  string(REGEX MATCH "^[a-z]+" to_component ${to})
  if(to_component STREQUAL "common" OR to_component STREQUAL from_component)
    if(to_ring LESS from_ring OR
       (to_ring EQUAL from_ring AND to_component STREQUAL from_component))
      return()
    endif()
  endif()
  message(FATAL_ERROR "${from} (ring ${from_ring}) must not depend on ${to} (ring ${to_ring})")
endfunction()

function(meldevakt_program name)
  cmake_parse_arguments(PARSE_ARGV 1 PROGRAM "" "" "SOURCES;DEPS;PRIVATE_DEPS")
  add_executable(${name} ${PROGRAM_SOURCES})
  # common_crypto last: it holds the one implementation of what common/ports/sha256.h declares.
  target_link_libraries(${name} PRIVATE meldevakt_flags ${PROGRAM_DEPS} ${PROGRAM_PRIVATE_DEPS} common_crypto)
  add_dependencies(${name} rings)
endfunction()
