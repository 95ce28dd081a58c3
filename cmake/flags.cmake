# Compiler settings that the library, its tests and the benchmarks share, and what only the library needs.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# A bare Windows has no vcruntime140.dll: the runtime is linked in.
set(CMAKE_MSVC_RUNTIME_LIBRARY "MultiThreaded$<$<CONFIG:Debug>:Debug>")

get_property(nps_multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
if(NOT nps_multi_config AND NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release or RelWithDebInfo" FORCE)
endif()
if(NOT MSVC)
  set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")
endif()

set(NPS_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them: address,undefined or thread")
option(NPS_COVERAGE "Count which lines and branches ran (gcc)" OFF)
option(NPS_GUARD "Windows: each block of memory between guard pages, freed ones watched (tests/native/guard)" OFF)

# Every target of this project links this: warnings, sanitizers, and no runtime DLL that a bare Windows lacks.
add_library(nps_flags INTERFACE)
if(MSVC)
  target_compile_options(nps_flags INTERFACE /W4 /utf-8)
  target_compile_definitions(nps_flags INTERFACE _CRT_SECURE_NO_WARNINGS) # it warns of functions of standard C
else()
  target_compile_options(nps_flags INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
endif()
if(MINGW)
  target_link_options(nps_flags INTERFACE -static -static-libgcc)
endif()
if(NPS_SANITIZE)
  target_compile_options(nps_flags INTERFACE
    "-fsanitize=${NPS_SANITIZE}" -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
  target_link_options(nps_flags INTERFACE "-fsanitize=${NPS_SANITIZE}")
endif()
if(NPS_GUARD)
  target_compile_definitions(nps_flags INTERFACE NPS_GUARD) # memory given back is not reused: tests that count it must know
endif()

if(NPS_COVERAGE)
  target_compile_options(nps_flags INTERFACE --coverage -fprofile-update=atomic)
  target_link_options(nps_flags INTERFACE --coverage)
endif()

# Only nps_ symbols leave the library. Windows exports what NPS_API marks, and nothing else once one symbol is marked; ELF
# needs the version script beside hidden visibility, for what comes out of static runtime libraries.
function(nps_limit_exports target map)
  if(WIN32)
    return()
  endif()
  target_link_options(${target} PRIVATE "LINKER:--version-script=${map}")
  set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS "${map}")
  if(NOT NPS_SANITIZE)
    target_link_options(${target} PRIVATE LINKER:-z,defs LINKER:-z,relro LINKER:-z,now)
  endif()
endfunction()

# Link-time optimisation in release builds, where the compiler has it.
function(nps_optimise_across_files target)
  if(NPS_SANITIZE OR NPS_COVERAGE)
    return()
  endif()
  include(CheckIPOSupported)
  check_ipo_supported(RESULT supported LANGUAGES C)
  if(supported)
    set_target_properties(${target} PROPERTIES
      INTERPROCEDURAL_OPTIMIZATION_RELEASE ON INTERPROCEDURAL_OPTIMIZATION_RELWITHDEBINFO ON)
  endif()
endfunction()
