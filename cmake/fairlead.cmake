# One helper per kind of target: fairlead_library, fairlead_test, fairlead_fuzzer, fairlead_program.
# Sources are found by name: x.cc belongs to the library, x_test.cc to its tests, x_fuzz.cc is a fuzzer.

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

option(FAIRLEAD_FUZZ "Build the libFuzzer targets" OFF)
set(FAIRLEAD_SANITIZE "" CACHE STRING "Sanitizers, as for -fsanitize=")

# Dev: quick to compile, quick enough to run the tests with, and readable in a debugger.
set(CMAKE_CXX_FLAGS_DEV "-O1 -g1")
set(CMAKE_C_FLAGS_DEV "-O1 -g1")
# Check: for ASan and TSan. Optimizing what they instrument takes three times as long as compiling it, and no
# undefined behaviour is optimized away before it can be seen.
set(CMAKE_CXX_FLAGS_CHECK "-O0 -g1")
set(CMAKE_C_FLAGS_CHECK "-O0 -g1")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")  # No -DNDEBUG: assertions guard against our own bugs in production too.

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Werror -fno-omit-frame-pointer)
add_link_options(-fuse-ld=lld-19)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  # 3 to 5 % of a transaction's CPU for 5 % more time to build (docs/decisions/0006).
  add_compile_options(-flto=thin)
  add_link_options(-flto=thin "-Wl,--thinlto-cache-dir=${CMAKE_BINARY_DIR}/thinlto")
endif()
if(FAIRLEAD_SANITIZE)
  add_compile_options(-fsanitize=${FAIRLEAD_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${FAIRLEAD_SANITIZE})
endif()
if(FAIRLEAD_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

# Most of the compile time goes to reading the headers of the standard library and of the tests: once for all is enough.
# precompile(TARGET FIRST HEADER): TARGET uses the header that was compiled for FIRST, which comes before all the others.
function(precompile target first header)
  if(target STREQUAL first)
    target_precompile_headers(${target} PRIVATE "${CMAKE_SOURCE_DIR}/cmake/${header}")
  else()
    target_precompile_headers(${target} REUSE_FROM ${first})
  endif()
endfunction()

# What each folder may link, and so include (ARCHITECTURE.md; tools/layers.py checks the includes themselves).
set(FAIRLEAD_ALLOWED_base "")
set(FAIRLEAD_ALLOWED_wire base)
set(FAIRLEAD_ALLOWED_sql base wire)
set(FAIRLEAD_ALLOWED_config base wire sql)
set(FAIRLEAD_ALLOWED_metrics base wire sql config)
set(FAIRLEAD_ALLOWED_auth base wire sql config metrics)
set(FAIRLEAD_ALLOWED_core base wire sql config metrics auth)
set(FAIRLEAD_ALLOWED_ledger base wire sql config metrics auth core)
set(FAIRLEAD_ALLOWED_console base wire sql config core)
set(FAIRLEAD_ALLOWED_patroni base wire sql config core)
set(FAIRLEAD_ALLOWED_net base)
set(FAIRLEAD_ALLOWED_cluster base wire sql config metrics auth core ledger net)
set(FAIRLEAD_ALLOWED_load base wire sql config metrics auth core ledger net cluster)
set(FAIRLEAD_ALLOWED_proxy base wire sql config metrics auth core ledger console patroni net)
set(FAIRLEAD_ALLOWED_admin base wire sql config metrics auth core ledger console patroni net cluster load proxy)
set(FAIRLEAD_ALLOWED_app base wire sql config metrics auth core ledger console patroni net cluster load proxy admin)

# fairlead_library(NAME [FOLDERS other folders...] [PUBLIC third-party...] [PRIVATE third-party...] [ALONE files...] [COLD])
# Makes fairlead_NAME from the .cc files of this folder, and NAME_test from its _test.cc files. ALONE: names that they
# use for themselves clash with those of others, so they are not compiled together with others (CMAKE_UNITY_BUILD).
# COLD: no test waits for it, so that the build Dev does not optimize it, which takes as long as compiling it.
function(fairlead_library name)
  cmake_parse_arguments(ARG "COLD" "" "FOLDERS;PUBLIC;PRIVATE;ALONE" ${ARGN})
  set_source_files_properties(${ARG_ALONE} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  foreach(other IN LISTS ARG_FOLDERS)
    if(NOT other IN_LIST FAIRLEAD_ALLOWED_${name})
      message(FATAL_ERROR "src/${name} may not use src/${other}: see FAIRLEAD_ALLOWED_${name} in cmake/fairlead.cmake")
    endif()
  endforeach()
  list(TRANSFORM ARG_FOLDERS PREPEND fairlead_)

  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cc")
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_(test|fuzz)\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  add_library(fairlead_${name} STATIC ${sources})
  target_include_directories(fairlead_${name} PUBLIC "${CMAKE_SOURCE_DIR}/src")
  target_link_libraries(fairlead_${name} PUBLIC ${ARG_FOLDERS} ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
  if(ARG_COLD AND CMAKE_BUILD_TYPE STREQUAL "Dev" AND NOT FAIRLEAD_FUZZ)
    target_compile_options(fairlead_${name} PRIVATE -O0)
    precompile(fairlead_${name} fairlead_config precompiled.h)  # The first of them.
  else()
    precompile(fairlead_${name} fairlead_base precompiled.h)
  endif()
  if(tests AND NOT FAIRLEAD_FUZZ)
    fairlead_test(${name}_test SOURCES ${tests} LINK fairlead_${name})
  endif()

  file(GLOB fuzzers CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*_fuzz.cc")
  foreach(fuzzer IN LISTS fuzzers)
    fairlead_fuzzer(${fuzzer} LINK fairlead_${name})
  endforeach()
endfunction()

# fairlead_test(NAME SOURCES files... LINK libraries... [LABELS unit|integration|long|sim...] [TIMEOUT seconds] [SHARDS count])
# SHARDS: its tests are dealt out to so many runs side by side, NAME_1 and up.
function(fairlead_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT;SHARDS" "SOURCES;LINK;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gmock GTest::gtest_main)
  # Optimizing them takes as long as compiling them.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Dev>:-O0>)
  precompile(${name} base_test precompiled_test.h)
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  # tools/test lets two run for each processor, and those that do not wait for servers count for two.
  set(processors 2)
  if(ARG_LABELS MATCHES "integration|long")
    set(processors 1)
  endif()
  if(NOT ARG_SHARDS)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT} PROCESSORS ${processors})
    return()
  endif()
  foreach(shard RANGE 1 ${ARG_SHARDS})
    math(EXPR index "${shard} - 1")
    add_test(NAME ${name}_${shard} COMMAND ${name})
    set_tests_properties(${name}_${shard} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT} PROCESSORS ${processors}
      COST 60 ENVIRONMENT "GTEST_TOTAL_SHARDS=${ARG_SHARDS};GTEST_SHARD_INDEX=${index}")
  endforeach()
endfunction()

# fairlead_fuzzer(FILE LINK libraries...): x_fuzz.cc becomes x_fuzz. With FAIRLEAD_FUZZ it is a libFuzzer program;
# without, it only replays the checked-in corpus tests/fuzz/corpus/x as a unit test.
function(fairlead_fuzzer file)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  get_filename_component(name ${file} NAME_WE)
  string(REGEX REPLACE "_fuzz$" "" subject ${name})
  set(corpus "${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${subject}")
  if(FAIRLEAD_FUZZ)
    add_executable(${name} ${file})
    target_link_libraries(${name} PRIVATE ${ARG_LINK})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(${name} ${file} "${CMAKE_SOURCE_DIR}/tests/fuzz/replay_main.cc")
    target_link_libraries(${name} PRIVATE ${ARG_LINK})
    target_compile_options(${name} PRIVATE $<$<CONFIG:Dev>:-O0>)  # As the tests, for their header.
    precompile(${name} base_test precompiled_test.h)
    add_test(NAME ${name}_replay COMMAND ${name} ${corpus})
    set_tests_properties(${name}_replay PROPERTIES LABELS unit TIMEOUT 120)
  endif()
endfunction()
