# cmake -DNAME= -DPROGRAM= -DSECONDS= -DLENGTH= -DSEEDS= -DWORK= -P run.cmake: one libFuzzer target for so many seconds, from the kept
# seeds on and from what earlier runs in this build folder have found.
cmake_minimum_required(VERSION 3.25)

file(MAKE_DIRECTORY "${WORK}/corpus")
execute_process(
  COMMAND "${PROGRAM}" -seed=1 "-max_total_time=${SECONDS}" "-max_len=${LENGTH}" -len_control=0 -timeout=20 -rss_limit_mb=1024
    "-artifact_prefix=${WORK}/" -print_final_stats=1 "${WORK}/corpus" "${SEEDS}"
  OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message("${output}")
  message("FAIL test_fuzz_${NAME}_finds_nothing: the input is in ${WORK}; again: ${PROGRAM} FILE")
  message(FATAL_ERROR "found a fault")
endif()
string(REGEX MATCH "number_of_executed_units: *([0-9]+)" match "${output}")
if(NOT match OR CMAKE_MATCH_1 EQUAL 0)
  message(FATAL_ERROR "ran nothing: ${output}")
endif()
message("ok   test_fuzz_${NAME}_finds_nothing (${CMAKE_MATCH_1} inputs in ${SECONDS} s)")
