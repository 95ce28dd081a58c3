# NPS_GUARD: each block of memory between guard pages (guard.h says how). Replaces three files of the library, for it and for the
# test programs that compile it in.
if(NOT WIN32)
  message(FATAL_ERROR "NPS_GUARD is for Windows builds: elsewhere there are sanitizers (NPS_SANITIZE, presets linux-sanitize and linux-tsan).")
endif()
set(nps_guard_dir "${CMAKE_CURRENT_LIST_DIR}")
list(REMOVE_ITEM NPS_CORE_SOURCES native/core/buffer_pool.c native/core/op.c)
list(REMOVE_ITEM NPS_BACKEND_SOURCES native/os/iocp/memory.c)
list(APPEND NPS_CORE_SOURCES tests/native/guard/buffer_pool.c tests/native/guard/op.c)
list(APPEND NPS_BACKEND_SOURCES
  tests/native/guard/memory.c
  tests/native/guard/pages.c
  tests/native/guard/quarantine.c
  tests/native/guard/report.c)
