# Functions that turn folders into targets. Every function copes with a folder that is
# empty or missing, so that a module may be listed before its first file is written, and
# picks up new files by itself at the next build.

find_program(SWARMGATE_CCACHE ccache)
if(SWARMGATE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # The build folder is no part of the key: several builds of one tree share objects.
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env CCACHE_NOHASHDIR=1
                                  "${SWARMGATE_CCACHE}")
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()

# --- compile options, one place -----------------------------------------------------
add_library(swarmgate_options INTERFACE)
target_compile_options(swarmgate_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor
  -Woverloaded-virtual -Wimplicit-fallthrough)
if(SWARMGATE_WERROR)
  target_compile_options(swarmgate_options INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  target_compile_options(swarmgate_options INTERFACE -Wthread-safety -fcolor-diagnostics)
else()
  target_compile_options(swarmgate_options INTERFACE -fdiagnostics-color=auto)
endif()
target_compile_definitions(swarmgate_options INTERFACE _GLIBCXX_ASSERTIONS)
# A failed assert() of a library is better than undefined behaviour in the process that
# holds the Docker socket: NDEBUG is never set.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -fstack-protector-strong")
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")
set(CMAKE_C_FLAGS_DEBUG "-O1 -g1")
set(CMAKE_CXX_FLAGS_COVERAGE "-O0 -g --coverage")
set(CMAKE_C_FLAGS_COVERAGE "-O0 -g --coverage")
set(CMAKE_EXE_LINKER_FLAGS_COVERAGE "--coverage")
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

set(swarmgate_sanitizers "${SWARMGATE_SANITIZE}")
if(swarmgate_sanitizers)
  # Saves a third of the build's time; the tests take about as long.
  set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")
  set(CMAKE_C_FLAGS_DEBUG "-O0 -g1")
endif()
if(SWARMGATE_FUZZ)
  string(APPEND swarmgate_sanitizers ",fuzzer-no-link")
endif()
if(swarmgate_sanitizers)
  target_compile_options(swarmgate_options INTERFACE
    -fsanitize=${swarmgate_sanitizers} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(swarmgate_options INTERFACE -fsanitize=${swarmgate_sanitizers})
endif()

# --- modules ------------------------------------------------------------------------

# swarmgate_header_library(<name> <header>): swarmgate::<name>, headers only, as SYSTEM.
function(swarmgate_header_library name header)
  find_path(SWARMGATE_${name}_INCLUDE ${header} REQUIRED)
  add_library(swarmgate_third_${name} INTERFACE)
  target_include_directories(swarmgate_third_${name} SYSTEM INTERFACE
                             "${SWARMGATE_${name}_INCLUDE}")
  add_library(swarmgate::${name} ALIAS swarmgate_third_${name})
endfunction()

# swarmgate_module(<name> [DEPS module ...] [PRIVATE_DEPS module ...]
#                  [PUBLIC_LIBS lib ...] [PRIVATE_LIBS lib ...])
# Library swarmgate_<name> of src/<name>/*.cc; an interface library while there are none.
function(swarmgate_module name)
  cmake_parse_arguments(ARG "" "" "DEPS;PRIVATE_DEPS;PUBLIC_LIBS;PRIVATE_LIBS" ${ARGN})
  list(TRANSFORM ARG_DEPS PREPEND swarmgate_)
  list(TRANSFORM ARG_PRIVATE_DEPS PREPEND swarmgate_)
  set(lib swarmgate_${name})
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/${name}/*.cc")
  if(sources)
    add_library(${lib} STATIC ${sources})
    target_include_directories(${lib} PUBLIC "${PROJECT_SOURCE_DIR}/include"
                                      PRIVATE "${PROJECT_SOURCE_DIR}/src")
    target_link_libraries(${lib} PUBLIC ${ARG_DEPS} ${ARG_PUBLIC_LIBS}
                                 PRIVATE swarmgate_options ${ARG_PRIVATE_DEPS}
                                         ${ARG_PRIVATE_LIBS})
  else()
    add_library(${lib} INTERFACE)
    target_include_directories(${lib} INTERFACE "${PROJECT_SOURCE_DIR}/include")
    target_link_libraries(${lib} INTERFACE ${ARG_DEPS} ${ARG_PUBLIC_LIBS})
  endif()
endfunction()

# swarmgate_definitions(<module> NAME=value ...): private to the module's own files.
function(swarmgate_definitions name)
  get_target_property(type swarmgate_${name} TYPE)
  if(NOT type STREQUAL "INTERFACE_LIBRARY")
    target_compile_definitions(swarmgate_${name} PRIVATE ${ARGN})
  endif()
endfunction()

# swarmgate_program(<target> <source> [DEPS module ...] [LIBS library ...])
function(swarmgate_program target source)
  cmake_parse_arguments(ARG "" "" "DEPS;LIBS" ${ARGN})
  list(TRANSFORM ARG_DEPS PREPEND swarmgate_)
  add_executable(${target} "${source}")
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/src")
  target_link_libraries(${target} PRIVATE ${ARG_DEPS} ${ARG_LIBS} swarmgate_options)
endfunction()

# --- tests --------------------------------------------------------------------------

# What `scripts/test` builds for its stages.
add_custom_target(quick_tests)
add_custom_target(fuzz_targets)
add_custom_target(threaded_tests)

# Adds a gtest program of the given sources, as one ctest (its own process, its own
# environment, one set-up of costly things).
function(swarmgate_test_program target)
  cmake_parse_arguments(ARG "SERIAL" "LABEL;TIMEOUT" "SOURCES;LIBS" ${ARGN})
  add_executable(${target} ${ARG_SOURCES})
  target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/src"
                                               "${PROJECT_SOURCE_DIR}/test")
  target_link_libraries(${target} PRIVATE ${ARG_LIBS} swarmgate_test_support GTest::gmock
                                          swarmgate_options)
  set_target_properties(${target} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/test")
  if(swarmgate_sanitizers)
    math(EXPR ARG_TIMEOUT "${ARG_TIMEOUT} * 5")
  endif()
  add_test(NAME ${target} COMMAND ${target} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
  set_tests_properties(${target} PROPERTIES LABELS "${ARG_LABEL}" TIMEOUT ${ARG_TIMEOUT}
                                            RUN_SERIAL "${ARG_SERIAL}")
  if(NOT ARG_SERIAL)
    add_dependencies(quick_tests ${target})
  endif()
endfunction()

# swarmgate_unit_test(<module> [NAME name] [DEPS module ...]): <name>_test (by default:
# <module>_test) of test/unit/<module>/.
function(swarmgate_unit_test module)
  cmake_parse_arguments(ARG "" "NAME" "DEPS;LIBS" ${ARGN})
  if(NOT ARG_NAME)
    set(ARG_NAME ${module})
  endif()
  list(TRANSFORM ARG_DEPS PREPEND swarmgate_)
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/test/unit/${module}/*_test.cc")
  if(sources)
    swarmgate_test_program(${ARG_NAME}_test LABEL unit TIMEOUT 120 SOURCES ${sources}
      LIBS swarmgate_${module} ${ARG_DEPS} ${ARG_LIBS} GTest::gtest_main)
  endif()
endfunction()

# swarmgate_suite(<name> [PROGRAM program] ...): <name>_test, or the program, of
# test/<name>/*_test.cc; where the folder has a main.cc (an environment of its own), that is used
# instead of gtest's main.
function(swarmgate_suite name)
  cmake_parse_arguments(ARG "SERIAL" "TIMEOUT;PROGRAM" "DEPS;LIBS" ${ARGN})
  list(TRANSFORM ARG_DEPS PREPEND swarmgate_)
  if(NOT ARG_PROGRAM)
    set(ARG_PROGRAM ${name}_test)
  endif()
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/test/${name}/*.cc")
  set(main GTest::gtest_main)
  if(EXISTS "${PROJECT_SOURCE_DIR}/test/${name}/main.cc")
    set(main GTest::gtest)
  endif()
  set(serial "")
  if(ARG_SERIAL)
    set(serial SERIAL)
  endif()
  if(sources)
    swarmgate_test_program(${ARG_PROGRAM} LABEL ${name} TIMEOUT ${ARG_TIMEOUT} ${serial}
      SOURCES ${sources} LIBS ${ARG_DEPS} ${ARG_LIBS} ${main})
  endif()
endfunction()

# swarmgate_fuzz_targets([DEPS module ...]): one program per test/fuzz/<name>_fuzz.cc.
# With SWARMGATE_FUZZ a libFuzzer program; else a test that replays fixtures/fuzz/<name>/.
function(swarmgate_fuzz_targets)
  cmake_parse_arguments(ARG "" "" "DEPS" ${ARGN})
  list(TRANSFORM ARG_DEPS PREPEND swarmgate_)
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/test/fuzz/*_fuzz.cc")
  foreach(source IN LISTS sources)
    cmake_path(GET source STEM target)
    string(REGEX REPLACE "_fuzz$" "" name "${target}")
    add_executable(${target} "${source}")
    target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/src"
                                                 "${PROJECT_SOURCE_DIR}/test")
    target_link_libraries(${target} PRIVATE ${ARG_DEPS} swarmgate_options)
    set_target_properties(${target} PROPERTIES
      RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/fuzz")
    set(corpus "${PROJECT_SOURCE_DIR}/fixtures/fuzz/${name}")
    if(SWARMGATE_FUZZ)
      # libFuzzer without a run of its own only replays.
      target_link_options(${target} PRIVATE -fsanitize=fuzzer)
      set(replay -runs=0)
      if(EXISTS "${corpus}")
        list(APPEND replay "${corpus}")
      endif()
    else()
      target_sources(${target} PRIVATE "${PROJECT_SOURCE_DIR}/test/fuzz/replay_main.cc")
      set(replay "${corpus}")
    endif()
    add_test(NAME ${target} COMMAND ${target} ${replay})
    set_tests_properties(${target} PROPERTIES LABELS fuzz TIMEOUT 120)
    add_dependencies(quick_tests ${target})
    add_dependencies(fuzz_targets ${target})
  endforeach()
endfunction()

# swarmgate_benchmarks(<folder> [DEPS module ...]): one program per <folder>/*_bench.cc,
# built with everything else only when SWARMGATE_BENCH is on; `benchmarks` builds all.
function(swarmgate_benchmarks folder)
  cmake_parse_arguments(ARG "" "" "DEPS" ${ARGN})
  list(TRANSFORM ARG_DEPS PREPEND swarmgate_)
  add_custom_target(benchmarks)
  if(TARGET swarmgate_test_support)
    find_package(GTest REQUIRED)
  endif()
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${folder}/*_bench.cc")
  foreach(source IN LISTS sources)
    cmake_path(GET source STEM target)
    add_executable(${target} "${source}")
    if(NOT SWARMGATE_BENCH)
      set_target_properties(${target} PROPERTIES EXCLUDE_FROM_ALL ON)
    endif()
    target_include_directories(${target} PRIVATE "${PROJECT_SOURCE_DIR}/src"
                                                 "${PROJECT_SOURCE_DIR}/test")
    target_link_libraries(${target} PRIVATE ${ARG_DEPS} swarmgate_options)
    if(TARGET swarmgate_test_support)
      target_link_libraries(${target} PRIVATE swarmgate_test_support GTest::gtest)
    endif()
    if(TARGET echo_server)
      add_dependencies(${target} echo_server swarmgate)
    endif()
    set_target_properties(${target} PROPERTIES
      RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bench")
    add_dependencies(benchmarks ${target})
  endforeach()
endfunction()
