# The agent's edges: what touches files, the database, the network and the process.
if(MELDEVAKT_BUILD_TESTS)
  meldevakt_tests(agent_budget_tests FOLDERS unit/agent/budget DEPS agent_budget)
  meldevakt_tests(agent_unpack_tests FOLDERS unit/agent/unpack DEPS agent_unpack
    PRIVATE_DEPS PkgConfig::zstd ZLIB::ZLIB BZip2::BZip2 Poco::Zip Poco::Foundation)
  meldevakt_tests(agent_source_tests FOLDERS unit/agent/source DEPS agent_source
    PRIVATE_DEPS PkgConfig::zstd ZLIB::ZLIB BZip2::BZip2 Poco::Zip Poco::Foundation)
  meldevakt_tests(agent_scan_tests FOLDERS unit/agent/scan DEPS agent_scan agent_rules
    PRIVATE_DEPS Poco::Zip ZLIB::ZLIB)
  meldevakt_tests(agent_hold_tests FOLDERS unit/agent/hold DEPS agent_hold)
  meldevakt_tests(agent_state_tests FOLDERS unit/agent/state fault/agent DEPS agent_state
    PRIVATE_DEPS SQLite::SQLite3)
  meldevakt_tests(agent_ship_tests FOLDERS unit/agent/ship DEPS agent_ship common_crypto
    PRIVATE_DEPS Poco::NetSSL Poco::Net OpenSSL::SSL)
  meldevakt_tests(agent_app_tests FOLDERS unit/agent/app DEPS agent_app
    PRIVATE_DEPS Poco::NetSSL Poco::Net OpenSSL::SSL)
  if(TARGET agent_app_tests AND TARGET meldevakt-agent)
    add_dependencies(agent_app_tests meldevakt-agent)  # its tests run the program
  endif()
endif()
