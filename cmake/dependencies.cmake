# Third-party libraries, all from Debian 12's packages (tools/packages.txt). Each is an imported target that
# only the folders named in tools/layers.py may include.
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(GTest REQUIRED)
find_package(benchmark REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(PostgreSQL REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(liburing REQUIRED IMPORTED_TARGET liburing)
pkg_check_modules(systemd REQUIRED IMPORTED_TARGET libsystemd)

# libev ships no CMake or pkg-config file.
find_library(EV_LIBRARY ev REQUIRED)
find_path(EV_INCLUDE ev.h REQUIRED)
add_library(fairlead_libev INTERFACE)
target_include_directories(fairlead_libev SYSTEM INTERFACE "${EV_INCLUDE}")
target_link_libraries(fairlead_libev INTERFACE "${EV_LIBRARY}")

# libpg_query ships a static archive and no CMake or pkg-config file.
find_library(PG_QUERY_LIBRARY pg_query REQUIRED)
find_path(PG_QUERY_INCLUDE pg_query.h REQUIRED)
add_library(fairlead_pg_query INTERFACE)
target_include_directories(fairlead_pg_query SYSTEM INTERFACE "${PG_QUERY_INCLUDE}")
target_link_libraries(fairlead_pg_query INTERFACE "${PG_QUERY_LIBRARY}")

# Boost.JSON is used header-only: its own code is compiled once, for all folders that read or write JSON.
add_library(fairlead_boost_json STATIC "${CMAKE_SOURCE_DIR}/cmake/boost_json.cc")
target_link_libraries(fairlead_boost_json PUBLIC Boost::headers)
