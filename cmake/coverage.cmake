# cmake [-DREPORT_ONLY=ON] -P cmake/coverage.cmake
#
# Which lines and branches of core and of both backends the native tests run: builds the presets linux-coverage and mingw-coverage, runs
# the layers below (those of Windows under Wine, in the WINEPREFIX of the caller), merges what gcov counted, and fails below the bars. The
# report is in build/coverage (index.html, cobertura.xml). With REPORT_ONLY: of what ran before. Needs gcovr.
cmake_minimum_required(VERSION 3.25)

get_filename_component(root "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)
set(work "${root}/build/coverage")
set(tests_linux-coverage -L "unit|conformance|walk|faults")
set(tests_mingw-coverage -L "unit|conformance|walk|faults" -E "_sim_|^sim_|walk.(buffered|direct)") # those have run on Linux
set(targets nps nps_unit nps_conformance nps_faults)
set(targets_linux-coverage nps_walk_epoll)
foreach(variant IN ITEMS buffered direct)
  list(APPEND targets_linux-coverage nps_conformance_sim_${variant} nps_sim_${variant} nps_walk_${variant})
endforeach()
set(targets_mingw-coverage nps_walk_iocp)
set(presets linux-coverage mingw-coverage)
set(gcov_linux-coverage gcov)
set(gcov_mingw-coverage x86_64-w64-mingw32-gcov)

function(run)
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY "${root}" RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "failed: ${ARGN}")
  endif()
endfunction()

# ---- build and run
foreach(preset IN LISTS presets)
  if(REPORT_ONLY)
    continue()
  endif()
  file(GLOB_RECURSE old "${root}/build/${preset}/*.gcda")
  if(old)
    file(REMOVE ${old})
  endif()
  run("${CMAKE_COMMAND}" --preset ${preset})
  run("${CMAKE_COMMAND}" --build --preset ${preset} --target ${targets} ${targets_${preset}})
  run("${CMAKE_CTEST_COMMAND}" --preset ${preset} ${tests_${preset}} --verbose)
endforeach()

# ---- merge
file(MAKE_DIRECTORY "${work}")
set(gcovr gcovr --root "${root}")
set(traces "")
foreach(preset IN LISTS presets)
  run(${gcovr} --gcov-executable "${gcov_${preset}}" --object-directory "${root}/build/${preset}"
    --filter "native/core/" --filter "native/os/(epoll|iocp)/" --exclude-unreachable-branches
    --json "${work}/${preset}.json" "${root}/build/${preset}")
  list(APPEND traces --add-tracefile "${work}/${preset}.json")
endforeach()
run(${gcovr} ${traces} --html-details "${work}/index.html" --xml "${work}/cobertura.xml")

# ---- what is not covered, and the bars: folder, lines, branches
foreach(bar IN ITEMS "native/core/;95;90" "native/os/epoll/;90;0" "native/os/iocp/;90;0")
  list(GET bar 0 folder)
  list(GET bar 1 lines)
  list(GET bar 2 branches)
  execute_process(COMMAND ${gcovr} ${traces} --filter "${folder}" WORKING_DIRECTORY "${root}" OUTPUT_VARIABLE by_line)
  execute_process(COMMAND ${gcovr} ${traces} --filter "${folder}" --branches --print-summary
    --fail-under-line ${lines} --fail-under-branch ${branches} WORKING_DIRECTORY "${root}"
    OUTPUT_VARIABLE by_branch RESULT_VARIABLE status)
  message("==== ${folder}: lines\n${by_line}\n==== ${folder}: branches\n${by_branch}")
  string(REGEX MATCH "lines: [^\n]*" line_figure "${by_branch}")
  string(REGEX MATCH "branches: [^\n]*" branch_figure "${by_branch}")
  if(status EQUAL 0)
    set(verdict "ok   test_coverage_of")
  else()
    set(verdict "FAIL test_coverage_of")
    set(failed TRUE)
  endif()
  string(REGEX REPLACE "native/(os/)?([a-z]+)/" "\\2" name "${folder}")
  list(APPEND figures "${verdict}_${name} ${line_figure} (at least ${lines} %), ${branch_figure} (at least ${branches} %)")
endforeach()
list(JOIN figures "\n" figures)
message("${figures}")
if(failed)
  message(FATAL_ERROR "coverage is below the bar")
endif()
