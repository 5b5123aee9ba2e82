# The headers that most sources read and that cost most to parse are read once for each target. A source still includes what it uses. The
# precompiled header only saves time and is no interface (-DCLOISTER_PCH=OFF builds without it).
option(CLOISTER_PCH "precompile the headers that most sources read" ON)
function(cloister_precompile target)
  # A precompiled header was never tried with g++ and a sanitizer.
  if(NOT CLOISTER_PCH OR (CLOISTER_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU"))
    return()
  endif()
  target_precompile_headers(${target} PRIVATE <algorithm> <array> <chrono> <cstdint> <filesystem> <functional> <map> <memory> <mutex>
    <optional> <span> <string> <string_view> <utility> <variant> <vector> <nlohmann/json.hpp> ${ARGN})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${target} PRIVATE -fpch-preprocess)  # as ccache wants it
  else()
    target_compile_options(${target} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")  # as ccache wants it
  endif()
endfunction()

# cloister_unit_test(TARGET [RELEASE]) makes TARGET a program of unit tests, in the build's folder. Its sources are compiled for speed of
# compilation, because the code that they test is compiled with the libraries. The target `unit_tests` builds all such programs; with
# RELEASE the target `release_tests` does, for what a sanitised build cannot test. unit_tests.txt and release_tests.txt list the two kinds.
function(cloister_unit_test target)
  cloister_precompile(${target} <gtest/gtest.h>)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release,RelWithDebInfo>:-O0>)
  target_link_libraries(${target} PRIVATE cloister_options GTest::gtest_main)
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")
  if("RELEASE" IN_LIST ARGN)
    set_property(GLOBAL APPEND PROPERTY CLOISTER_RELEASE_TESTS ${target})
  else()
    set_property(GLOBAL APPEND PROPERTY CLOISTER_TESTS ${target})
  endif()
endfunction()

# cloister_memory_tests(LIBRARIES... SOURCES source...) makes each X_memory_test.cc a program `cloister_X_memory_test`. Such a test looks at
# what a sanitizer replaces or switches off: the operators new and delete, mlock().
function(cloister_memory_tests)
  cmake_parse_arguments(M "" "" "SOURCES;LIBRARIES" ${ARGN})
  if(CLOISTER_SANITIZE OR NOT CLOISTER_TESTS)
    return()
  endif()
  foreach(source ${M_SOURCES})
    get_filename_component(test "${source}" NAME_WE)
    add_executable(cloister_${test} "${source}")
    target_link_libraries(cloister_${test} PRIVATE ${M_LIBRARIES})
    cloister_unit_test(cloister_${test} RELEASE)
  endforeach()
endfunction()

# cloister_module(NAME DEPS module... LIBS target... OWN_LIBS target... PRECOMPILE header...) makes one folder under src/ one static
# library `cloister_NAME`. OWN_LIBS are the libraries that no header of the module needs. PRECOMPILE are headers that most of the module's
# sources read. The *_test.cc files next to the source become the program `cloister_NAME_test`; the *_bench.cc files belong to bench/.
function(cloister_module name)
  cmake_parse_arguments(M "" "" "DEPS;LIBS;OWN_LIBS;PRECOMPILE" ${ARGN})
  file(GLOB_RECURSE all CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/${name}/*.cc")
  set(tests ${all})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  set(sources ${all})
  list(FILTER sources EXCLUDE REGEX "_(test|bench)\\.cc$")
  list(FILTER sources EXCLUDE REGEX "/crypto/aws_lc/")  # cmake/aws_lc.cmake
  list(FILTER tests EXCLUDE REGEX "/engine/llama/")  # cloister_llama_test, in CMakeLists.txt
  set(memory_tests ${tests})
  list(FILTER memory_tests INCLUDE REGEX "_memory_test\\.cc$")
  list(FILTER tests EXCLUDE REGEX "_memory_test\\.cc$")
  if(NOT CLOISTER_LLAMA)
    list(FILTER sources EXCLUDE REGEX "/engine/llama/")
  endif()
  if(NOT sources)
    return()
  endif()
  add_library(cloister_${name} STATIC ${sources})
  cloister_precompile(cloister_${name} ${M_PRECOMPILE})
  set(deps ${M_DEPS})
  list(TRANSFORM deps PREPEND cloister_)
  target_link_libraries(cloister_${name} PUBLIC ${deps} ${M_LIBS} PRIVATE ${M_OWN_LIBS} cloister_options)
  target_include_directories(cloister_${name} PUBLIC "${CMAKE_SOURCE_DIR}/src" "${CMAKE_SOURCE_DIR}/include")
  if(tests AND CLOISTER_TESTS)
    add_executable(cloister_${name}_test ${tests})
    target_link_libraries(cloister_${name}_test PRIVATE cloister_${name})
    cloister_unit_test(cloister_${name}_test)
  endif()
  cloister_memory_tests(SOURCES ${memory_tests} LIBRARIES cloister_${name})
endfunction()
