# The harness on the simulated kernel, for who runs suites there: sets nps_harness_sources, and for this folder's targets how some of
# them are compiled. pre: nps_test_dir.
if(WIN32)
  set(system_sources "${nps_test_dir}/harness/sys_windows.c")
else()
  set(system_sources "${nps_test_dir}/harness/sys_posix.c")
endif()
set(runner_sources "${nps_test_dir}/harness/test.c")
file(GLOB sim_sources CONFIGURE_DEPENDS "${nps_test_dir}/harness/sim/*.c")
set(nps_harness_sources ${system_sources} ${runner_sources} ${sim_sources}
  "${nps_test_dir}/harness/main.c" "${nps_test_dir}/harness/deadline.c" "${nps_test_dir}/harness/loop.c" "${nps_test_dir}/harness/peer.c")
# What sys_sim.c does otherwise keeps the system's meaning for the runner, and for actors.c, under another name.
set(renamed sys_thread_start=real_thread_start sys_thread_join=real_thread_join sys_thread_detach=real_thread_detach
  sys_thread=real_thread sys_event_new=real_event_new sys_event_set=real_event_set sys_event_wait=real_event_wait
  sys_event_free=real_event_free sys_event=real_event sys_now_ms=real_now_ms sys_yield=real_yield
  sys_is_windows=real_is_windows sys_handle_count=real_handle_count sys_memory=real_memory)
set_source_files_properties(${system_sources} ${runner_sources} PROPERTIES COMPILE_DEFINITIONS "${renamed}")
