# The only place that knows compilers. Everything we write links meldevakt_flags; third-party code does not.
add_library(meldevakt_flags INTERFACE)
target_compile_features(meldevakt_flags INTERFACE cxx_std_20)
if(MSVC)
  target_compile_options(meldevakt_flags INTERFACE /W4 /WX /permissive- /utf-8)
else()
  target_compile_options(meldevakt_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
    -Wold-style-cast -Wnon-virtual-dtor -Woverloaded-virtual -Werror)
endif()
if(MELDEVAKT_SANITIZE)
  target_compile_options(meldevakt_flags INTERFACE
    -fsanitize=${MELDEVAKT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(meldevakt_flags INTERFACE -fsanitize=${MELDEVAKT_SANITIZE})
  if(MELDEVAKT_SANITIZE MATCHES "thread")
    # TSan does not know fences; Asio's are besides the locks that order its handlers.
    target_compile_definitions(meldevakt_flags INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
  endif()
endif()
# In a sanitizer build, full debug information of the templates in our dependencies costs more build time than it ever repays.
if(CMAKE_BUILD_TYPE STREQUAL "Debug")
  target_compile_options(meldevakt_flags INTERFACE -g1)
  if(MELDEVAKT_SANITIZE)
    target_compile_options(meldevakt_flags INTERFACE -O1)
  endif()
endif()

# A faster linker and a compiler cache where they are installed; neither changes what is built.
find_program(MELDEVAKT_CCACHE ccache)
if(MELDEVAKT_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}
    CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros ${MELDEVAKT_CCACHE})
endif()
find_program(MELDEVAKT_MOLD mold)
if(MELDEVAKT_MOLD AND NOT MSVC)
  target_link_options(meldevakt_flags INTERFACE -fuse-ld=mold)
endif()
