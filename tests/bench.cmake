# Benchmarks: programs that print one JSON object; scripts/bench runs them and puts figures beside goals.
if(MELDEVAKT_BUILD_BENCH)
  add_executable(durable_store_bench bench/durable_store_bench.cpp)
  target_link_libraries(durable_store_bench PRIVATE meldevakt_flags collector_store collector_admit common_pack
    common_seal common_testing SQLite::SQLite3 common_crypto)
endif()
if(MELDEVAKT_BUILD_BENCH)
  # Scanning by itself, beside its peers. Hyperscan is one of them where it is installed.
  add_executable(scan_bench bench/scan_bench.cpp bench/scan_log.cpp)
  target_link_libraries(scan_bench PRIVATE meldevakt_flags agent_recognise common_crypto)
  pkg_check_modules(hyperscan IMPORTED_TARGET libhs)
  if(hyperscan_FOUND)
    target_compile_definitions(scan_bench PRIVATE MELDEVAKT_HAVE_HYPERSCAN=1)
    target_link_libraries(scan_bench PRIVATE PkgConfig::hyperscan)
  endif()
endif()
if(MELDEVAKT_BUILD_BENCH)
  # Verdicts: rebuilding, one more, and the events that SEC is given.
  add_executable(correlator_bench bench/correlator_bench.cpp)
  target_link_libraries(correlator_bench PRIVATE meldevakt_flags collector_correlate common_crypto)
endif()
if(MELDEVAKT_BUILD_BENCH)
  # Verdicts from the database: what a collector's start costs.
  add_executable(store_rebuild_bench bench/store_rebuild_bench.cpp)
  target_link_libraries(store_rebuild_bench PRIVATE meldevakt_flags collector_store collector_admit collector_correlate
    common_pack common_seal SQLite::SQLite3 common_crypto)
endif()
