# The collector's outer rings: store, listeners and program.
if(MELDEVAKT_BUILD_TESTS)
  meldevakt_tests(collector_store_tests FOLDERS unit/collector/store fault/collector
    DEPS collector_store collector_report common_pack PRIVATE_DEPS SQLite::SQLite3)
  meldevakt_tests(collector_edge_tests FOLDERS unit/collector/http unit/collector/app
    DEPS collector_app common_pack
    PRIVATE_DEPS Boost::headers OpenSSL::SSL OpenSSL::Crypto Threads::Threads SQLite::SQLite3)
  if(TARGET collector_edge_tests)
    add_dependencies(collector_edge_tests meldevakt-collector)  # its tests run the program
  endif()
endif()
