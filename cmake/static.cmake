# Targets `tidy` (clang-tidy) and `cppcheck`: every C file of this build's targets, once, with the include folders, definitions and
# warnings of the target that compiles it; a finding fails the target. Only what changed is looked at again.
#   cmake --build --preset linux-debug --target tidy cppcheck
#   cmake --build --preset mingw-debug --target tidy cppcheck      what is compiled for Windows alone
find_program(NPS_CLANG_TIDY clang-tidy)
find_program(NPS_CPPCHECK cppcheck)

# nps_check_file(TOOL TARGET SOURCE COMMAND...): a stamp for this source, made when the command finds nothing.
function(nps__check_file tool target source)
  cmake_path(RELATIVE_PATH source BASE_DIRECTORY "${PROJECT_SOURCE_DIR}" OUTPUT_VARIABLE name)
  set(stamp "${PROJECT_BINARY_DIR}/static/${name}.${tool}")
  add_custom_command(OUTPUT "${stamp}"
    COMMAND "${CMAKE_COMMAND}" "-DSTAMP=${stamp}" -P "${PROJECT_SOURCE_DIR}/cmake/static-one.cmake" -- ${ARGN}
    DEPENDS "${source}" ${nps_static_depends}
    COMMENT "${tool}: ${name}" COMMAND_EXPAND_LISTS VERBATIM)
  set_property(GLOBAL APPEND PROPERTY nps_stamps_${tool} "${stamp}")
endfunction()

function(nps__check_target target)
  get_target_property(sources ${target} SOURCES)
  get_target_property(folder ${target} SOURCE_DIR)
  set(includes "$<TARGET_PROPERTY:${target},INCLUDE_DIRECTORIES>")
  set(definitions "$<TARGET_PROPERTY:${target},COMPILE_DEFINITIONS>")
  set(arguments "$<$<BOOL:${includes}>:-I$<JOIN:${includes},$<SEMICOLON>-I>>" "$<$<BOOL:${definitions}>:-D$<JOIN:${definitions},$<SEMICOLON>-D>>")
  set(system "")
  set(platform --platform=unix64)
  set(native "${PROJECT_SOURCE_DIR}/native")
  if(MINGW)
    set(system "--target=${CMAKE_SYSTEM_PROCESSOR}-w64-mingw32" "--sysroot=${CMAKE_FIND_ROOT_PATH}")
    set(platform --platform=win64 -D_WIN32)
  endif()
  foreach(source IN LISTS sources)
    cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY "${folder}" NORMALIZE)
    get_property(seen GLOBAL PROPERTY nps_checked_sources)
    cmake_path(IS_PREFIX PROJECT_BINARY_DIR "${source}" NORMALIZE generated)
    if(generated OR NOT source MATCHES "${nps_static_pattern}" OR source IN_LIST seen)
      continue()
    endif()
    set_property(GLOBAL APPEND PROPERTY nps_checked_sources "${source}")
    set(kinds warning,performance,portability)
    cmake_path(IS_PREFIX native "${source}" NORMALIZE of_library)
    if(of_library)
      string(APPEND kinds ,style)
    endif()
    if(NPS_CLANG_TIDY)
      nps__check_file(tidy ${target} "${source}" "${NPS_CLANG_TIDY}" --quiet "${source}" --
        ${system} -std=c17 ${arguments} "$<TARGET_PROPERTY:${target},COMPILE_OPTIONS>")
    endif()
    if(NPS_CPPCHECK)
      nps__check_file(cppcheck ${target} "${source}" "${NPS_CPPCHECK}" --quiet --error-exitcode=1 --std=c11 ${platform}
        "--enable=${kinds}" --inline-suppr "--library=${PROJECT_SOURCE_DIR}/cmake/cppcheck.cfg" ${arguments} "${source}")
    endif()
  endforeach()
endfunction()

function(nps__check_directory folder)
  get_property(targets DIRECTORY "${folder}" PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    if(type MATCHES "EXECUTABLE|_LIBRARY$" AND NOT type STREQUAL "INTERFACE_LIBRARY")
      nps__check_target(${target})
    endif()
  endforeach()
  get_property(folders DIRECTORY "${folder}" PROPERTY SUBDIRECTORIES)
  foreach(subfolder IN LISTS folders)
    nps__check_directory("${subfolder}")
  endforeach()
endfunction()

file(GLOB_RECURSE nps_static_headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/native/*.h" "${PROJECT_SOURCE_DIR}/tests/*.h")
set(nps_static_pattern "\\.c$")
if(MINGW) # the rest is looked at on Linux
  set(nps_static_pattern "(/iocp/.*|/windows/.*|_windows|/wine/.*)\\.c$")
endif()
set(nps_static_depends ${nps_static_headers} "${PROJECT_SOURCE_DIR}/.clang-tidy" "${PROJECT_SOURCE_DIR}/tests/native/.clang-tidy"
  "${PROJECT_SOURCE_DIR}/cmake/cppcheck.cfg" "${CMAKE_CURRENT_LIST_DIR}/static-one.cmake")
nps__check_directory("${PROJECT_SOURCE_DIR}")
foreach(tool IN ITEMS tidy cppcheck)
  get_property(stamps GLOBAL PROPERTY nps_stamps_${tool})
  if(stamps)
    add_custom_target(${tool} DEPENDS ${stamps})
  endif()
endforeach()
