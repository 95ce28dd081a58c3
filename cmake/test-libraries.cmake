# Shared libraries that only the managed tests load: not part of `all`, built by the target nps_test_libraries and installed by the
# component `tests`. Directory.Build.targets puts them beside every test project's output.
add_custom_target(nps_test_libraries)

function(nps_add_test_library target)
  add_library(${target} SHARED EXCLUDE_FROM_ALL ${ARGN})
  target_link_libraries(${target} PRIVATE nps_flags)
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/test-libraries"
    LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/test-libraries")
  if(WIN32)
    set_target_properties(${target} PROPERTIES PREFIX "" IMPORT_PREFIX "")
  endif()
  add_dependencies(nps_test_libraries ${target})
  install(TARGETS ${target} RUNTIME DESTINATION tests COMPONENT tests EXCLUDE_FROM_ALL
    LIBRARY DESTINATION tests COMPONENT tests EXCLUDE_FROM_ALL
    ARCHIVE DESTINATION tests/lib COMPONENT unused EXCLUDE_FROM_ALL)
endfunction()

# What the compiler made of nps.h, for the comparison with the bindings.
nps_add_test_library(nps_abi_facts "${PROJECT_SOURCE_DIR}/tests/abi/facts/abi_facts.c")
target_include_directories(nps_abi_facts PRIVATE "${PROJECT_SOURCE_DIR}/native/include")

# Lets .NET run reliably under Wine; loaded there alone. gcc 12 takes mingw's own NtCurrentTeb (a read through the gs segment) for
# one out of bounds.
if(MINGW)
  nps_add_test_library(wine_clr_fixes "${PROJECT_SOURCE_DIR}/tests/wine/wine_clr_fixes.c")
  target_compile_options(wine_clr_fixes PRIVATE -Wno-array-bounds)
endif()
