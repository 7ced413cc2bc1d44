# Fuzz targets: what decodes bytes that others sent or wrote. One file and one line a target:
#
#   tests/fuzz/NAME_fuzz.cpp     int fuzz_NAME(const std::uint8_t* data, std::size_t size)
#   tests/fuzz/corpus/NAME/      seeds: small, valid and nearly valid inputs
#   meldevakt_fuzz_target(NAME LIBRARIES...)   below
#
# With tests, one program runs every target over its seeds and thousands of fixed changes of them
# (fuzz_corpus_tests, a few seconds); with MELDEVAKT_BUILD_FUZZERS each target becomes a
# libFuzzer program: build/fuzz/bin/fuzz_NAME tests/fuzz/corpus/NAME.
set(MELDEVAKT_FUZZ_TARGETS "")
set(MELDEVAKT_FUZZ_SOURCES "")
set(MELDEVAKT_FUZZ_LIBRARIES "")

if(MELDEVAKT_BUILD_FUZZERS)
  # Also for what the targets call, or the fuzzer would be blind there.
  target_compile_options(meldevakt_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

function(meldevakt_fuzz_target name)
  set(source ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/${name}_fuzz.cpp)
  list(APPEND MELDEVAKT_FUZZ_TARGETS ${name})
  list(APPEND MELDEVAKT_FUZZ_SOURCES ${source})
  list(APPEND MELDEVAKT_FUZZ_LIBRARIES ${ARGN})
  foreach(list TARGETS SOURCES LIBRARIES)
    set(MELDEVAKT_FUZZ_${list} ${MELDEVAKT_FUZZ_${list}} PARENT_SCOPE)
  endforeach()
  if(MELDEVAKT_BUILD_FUZZERS)
    add_executable(fuzz_${name} ${source} ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/libfuzzer_main.cpp)
    target_compile_definitions(fuzz_${name} PRIVATE MELDEVAKT_FUZZ_TARGET=fuzz_${name})
    target_link_libraries(fuzz_${name} PRIVATE ${ARGN} meldevakt_flags common_crypto)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  endif()
endfunction()

# --- the table --------------------------------------------------------------------------------
meldevakt_fuzz_target(frame common_summary)
meldevakt_fuzz_target(statement common_summary)
meldevakt_fuzz_target(body common_summary)
meldevakt_fuzz_target(envelope common_seal)
meldevakt_fuzz_target(log_texts common_seal)
meldevakt_fuzz_target(unpack common_pack)
meldevakt_fuzz_target(admission collector_admit)
meldevakt_fuzz_target(receipts common_receipts common_testing)
meldevakt_fuzz_target(records agent_frame)
meldevakt_fuzz_target(views agent_frame)
meldevakt_fuzz_target(times agent_recognise common_testing)
meldevakt_fuzz_target(decode agent_decode)
meldevakt_fuzz_target(pack agent_recognise)
meldevakt_fuzz_target(recognise agent_recognise agent_rules)
meldevakt_fuzz_target(scan agent_recognise)
meldevakt_fuzz_target(journal agent_source)
meldevakt_fuzz_target(evtx agent_unpack)
meldevakt_fuzz_target(archives agent_unpack)
meldevakt_fuzz_target(places agent_source)
meldevakt_fuzz_target(host_counters agent_source)
meldevakt_fuzz_target(hold_part agent_hold)
# Fails on purpose: shows that a false invariant is noticed (below), and is never run otherwise.
meldevakt_fuzz_target(canary common_base)

if(MELDEVAKT_BUILD_TESTS)
  list(TRANSFORM MELDEVAKT_FUZZ_TARGETS REPLACE "(.+)" "MELDEVAKT_FUZZ(\\1)" OUTPUT_VARIABLE lines)
  list(JOIN lines "\n" lines)
  file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/fuzz/fuzz_targets.inc CONTENT "@lines@\n" @ONLY)
  list(REMOVE_DUPLICATES MELDEVAKT_FUZZ_LIBRARIES)
  add_executable(fuzz_corpus_tests ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus_main.cpp
    ${MELDEVAKT_FUZZ_SOURCES})
  target_include_directories(fuzz_corpus_tests PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/fuzz)
  target_compile_definitions(fuzz_corpus_tests PRIVATE
    MELDEVAKT_FUZZ_CORPUS="${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus")
  target_link_libraries(fuzz_corpus_tests PRIVATE ${MELDEVAKT_FUZZ_LIBRARIES} common_testing
    meldevakt_flags common_crypto)
  add_test(NAME fuzz_corpus_tests COMMAND fuzz_corpus_tests)
  add_test(NAME fuzz_canary COMMAND fuzz_corpus_tests --expect-failure canary)
endif()
