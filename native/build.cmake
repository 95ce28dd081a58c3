# Builds the native library for MSBuild: cmake -DRID=… -DCONFIGURATION=… -DFOLDER=… -DPART=runtime -P build.cmake
# Under a lock, because several builds may ask at once. What it leaves: FOLDER/out/{bin/nps.dll,lib/libnps.so}.
# PART=tests: what only the managed tests load, into FOLDER/out/tests.
# When it fails it says why in one line, "reason CODE: text", of which native.proj makes the error of the build.
if(CMAKE_VERSION VERSION_LESS 3.25)
  message("reason NPS0001: building the native library needs CMake 3.25 or later, this is ${CMAKE_VERSION}: install a newer one")
endif()
cmake_minimum_required(VERSION 3.25)

get_filename_component(root "${CMAKE_CURRENT_LIST_DIR}" DIRECTORY)
file(TO_CMAKE_PATH "${FOLDER}" FOLDER)

function(fail code text)
  message(NOTICE "reason ${code}: ${text}")
  message(FATAL_ERROR "The native library was not built.")
endfunction()

# pre: the program's name and what to install when it is not there.
function(need program what)
  find_program(found NAMES ${program} NO_CACHE)
  if(NOT found)
    fail(NPS0001 "building the native library for ${RID} needs ${program}, which was not found: install ${what}")
  endif()
endfunction()

# ---- RID → preset, and what this machine must have for it

cmake_host_system_information(RESULT machine QUERY OS_PLATFORM)
string(TOLOWER "${machine}" machine)
if(machine MATCHES "^(x86_64|amd64)$")
  set(machine x64)
elseif(machine MATCHES "^(aarch64|arm64)$")
  set(machine arm64)
endif()
set(arguments "")
set(on_windows FALSE)
set(msvc_hint "install Visual Studio (or its Build Tools) with the workload 'Desktop development with C++'")
set(debian "on Debian or Ubuntu: apt-get install cmake ninja-build")

if(CMAKE_HOST_WIN32 AND RID MATCHES "^win-(x64|arm64)$")
  set(on_windows TRUE)
  set(preset msvc)
  if(CMAKE_MATCH_1 STREQUAL "arm64")
    list(APPEND arguments -A ARM64)
  endif()
elseif(CMAKE_HOST_SYSTEM_NAME STREQUAL "Linux" AND RID MATCHES "^linux-(musl-)?(x64|arm64)$")
  set(preset linux-release)
  set(architecture "${CMAKE_MATCH_2}")
  if(NOT architecture STREQUAL machine)
    if(NOT RID STREQUAL "linux-arm64")
      fail(NPS0002 "the native library for ${RID} cannot be built on ${machine}: build it on such a machine")
    endif()
    need(aarch64-linux-gnu-gcc "a cross compiler (${debian} gcc-aarch64-linux-gnu)")
    list(APPEND arguments "-DCMAKE_TOOLCHAIN_FILE=${root}/cmake/linux-arm64.cmake")
  elseif(DEFINED ENV{CC})
    # The caller chose a compiler: CMake will say so if it is not there.
  else()
    need(cc "a C compiler (${debian} gcc)")
  endif()
  if(architecture STREQUAL machine)
    execute_process(COMMAND getconf GNU_LIBC_VERSION RESULT_VARIABLE no_glibc OUTPUT_QUIET ERROR_QUIET)
    if((RID MATCHES "musl" AND no_glibc EQUAL 0) OR (NOT RID MATCHES "musl" AND NOT no_glibc EQUAL 0))
      fail(NPS0002 "the native library for ${RID} cannot be built here: this system has the other C library")
    endif()
  endif()
elseif(CMAKE_HOST_SYSTEM_NAME STREQUAL "Linux" AND RID STREQUAL "win-x64")
  set(preset mingw-release)
  need(x86_64-w64-mingw32-gcc "mingw-w64 (${debian} mingw-w64)")
else()
  fail(NPS0002 "the native library cannot be built for ${RID} on ${CMAKE_HOST_SYSTEM_NAME}: \
known are win-x64, win-arm64, linux-x64, linux-arm64, linux-musl-x64, linux-musl-arm64, \
and from Linux only win-x64 for Windows")
endif()

# ---- one at a time from here on

file(MAKE_DIRECTORY "${FOLDER}")
file(LOCK "${FOLDER}/build.lock" GUARD PROCESS TIMEOUT 600 RESULT_VARIABLE locked)
if(NOT locked EQUAL 0)
  fail(NPS0003 "another build of the native library has held ${FOLDER}/build.lock for ten minutes (${locked})")
endif()

if(NOT on_windows)
  # The preset asks for Ninja; without it make does. A folder keeps the generator that it was made with.
  find_program(ninja NAMES ninja ninja-build NO_CACHE)
  if(NOT ninja)
    find_program(make NAMES make NO_CACHE)
    if(NOT make)
      fail(NPS0001 "building the native library needs ninja or make, which were not found: install one (${debian})")
    endif()
    list(APPEND arguments -G "Unix Makefiles" "-DCMAKE_MAKE_PROGRAM=${make}")
  endif()
endif()
list(APPEND arguments --preset "${preset}" -S "${root}" -B "${FOLDER}/tree"
  "-DCMAKE_BUILD_TYPE=${CONFIGURATION}" -DNPS_BUILD_TESTS=OFF -DNPS_BUILD_BENCHMARKS=OFF
  -DCMAKE_COMPILE_WARNING_AS_ERROR=OFF # what another compiler warns of does not concern who uses the library
  -DCMAKE_INSTALL_BINDIR=bin -DCMAKE_INSTALL_LIBDIR=lib)

# Configures when the folder is new, or was configured with other arguments (another clone, another generator).
set(stamp "${FOLDER}/configured.txt")
set(configured "")
if(EXISTS "${stamp}")
  file(READ "${stamp}" configured)
endif()
if(NOT configured STREQUAL "${arguments}")
  file(REMOVE "${stamp}")
  execute_process(COMMAND "${CMAKE_COMMAND}" --fresh ${arguments}
    WORKING_DIRECTORY "${root}" RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    message(NOTICE "${output}")
    if(output MATCHES "CMAKE_C_COMPILER|could not find any instance of Visual Studio|does not support platform specification|\
not able to compile a simple test program")
      if(on_windows)
        fail(NPS0001 "building the native library needs a C compiler: ${msvc_hint}")
      endif()
      fail(NPS0001 "the C compiler does not work (see above): install one (${debian} gcc)")
    endif()
    fail(NPS0003 "CMake could not configure the native library (see above)")
  endif()
  file(WRITE "${stamp}" "${arguments}")
endif()

set(target nps)
if(PART STREQUAL "tests")
  set(target nps_test_libraries)
endif()
execute_process(COMMAND "${CMAKE_COMMAND}" --build "${FOLDER}/tree" --config "${CONFIGURATION}" --target ${target} --parallel
  RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(result EQUAL 0)
  execute_process(COMMAND "${CMAKE_COMMAND}" --install "${FOLDER}/tree" --config "${CONFIGURATION}"
    --prefix "${FOLDER}/out" --component ${PART}
    RESULT_VARIABLE result OUTPUT_VARIABLE installed ERROR_VARIABLE installed)
  string(APPEND output "${installed}")
endif()
if(NOT result EQUAL 0)
  message(NOTICE "${output}")
  fail(NPS0003 "the native library did not compile (see above)")
endif()
