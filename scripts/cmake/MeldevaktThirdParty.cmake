# Third-party libraries, each found once. scripts/install-dependencies installs their Debian packages.
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(SQLite3 3.40 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
find_package(ZLIB REQUIRED)
find_package(BZip2 REQUIRED)
# Twice as fast as zlib for gzip, on x86-64 and arm64; where it is missing zlib does the work.
pkg_check_modules(isal IMPORTED_TARGET libisal)
set(MELDEVAKT_ISAL ${isal_FOUND})
pkg_check_modules(pcre2 REQUIRED IMPORTED_TARGET libpcre2-8)
find_package(Poco 1.11 REQUIRED COMPONENTS Foundation Net NetSSL Zip)
find_package(Boost 1.81 REQUIRED)
find_package(date REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(tomlplusplus 3.3 REQUIRED)
# Headers of the systemd journal.
pkg_check_modules(libsystemd REQUIRED libsystemd)
# Events of .evtx files.
pkg_check_modules(libevtx REQUIRED IMPORTED_TARGET libevtx)
