# The simulated country: the real agent's core and the real collector in one process.
find_package(Threads REQUIRED)
add_executable(replay_2023 sim/replay_2023.cpp sim/called_for.cpp sim/clock_comparison.cpp sim/collector_side.cpp
  sim/comparison.cpp sim/country_run.cpp sim/history.cpp sim/incident_comparison.cpp sim/kept_data.cpp sim/latent_comparison.cpp
  sim/log_text.cpp sim/memory_source.cpp sim/oracle.cpp sim/plan.cpp sim/replay_report.cpp sim/service_run.cpp sim/shapes.cpp
  sim/sim_agent.cpp sim/systemic_comparison.cpp sim/unsynced_vfs.cpp)
target_link_libraries(replay_2023 PRIVATE meldevakt_flags agent_app collector_app common_testing CLI11::CLI11
  nlohmann_json::nlohmann_json SQLite::SQLite3 Threads::Threads common_crypto)
if(MELDEVAKT_BUILD_TESTS)
  add_test(NAME replay_small COMMAND replay_2023 --scale small --seeds 2)
endif()
