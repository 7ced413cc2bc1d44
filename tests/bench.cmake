# Benchmarks: programs that print one JSON object; scripts/bench runs them and puts figures beside goals.
if(MELDEVAKT_BUILD_BENCH)
  add_executable(durable_store_bench bench/durable_store_bench.cpp)
  target_link_libraries(durable_store_bench PRIVATE meldevakt_flags collector_store collector_admit common_pack
    common_seal common_testing SQLite::SQLite3 common_crypto)
endif()
