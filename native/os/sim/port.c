/* port.c - completions come out here: when, and in which order, is decided by the seed. */
#include "kernel.h"

#define PORT_PATIENCE 20000u /* rounds of a wait without an end in which nothing happens */

nps_result os_port_create(os_port **port) {
  if (sim_strikes(SIM_FAULT_PORT_CREATE)) return sim_result(NPS_E_TOO_MANY_HANDLES);
  os_port *made = os_alloc(sizeof *made);
  if (made == NULL) return sim_result(NPS_E_OUT_OF_MEMORY);
  sim.ports++;
  *port = made;
  return NPS_OK;
}

void os_port_destroy(os_port *port) {
  if (port->waiting) sim_fail("a port is destroyed while a thread waits on it");
  for (uint32_t i = 0; i < sim.request_count; i++) {
    if (sim.requests[i]->port == port) sim_fail("rule 5: a port is destroyed while an operation is pending on it");
  }
  for (sim_file *file = sim.files; file != NULL; file = file->next) {
    if (file->port == port) file->port = NULL;
  }
  sim.ports--;
  os_free(port);
}

nps_result os_port_wake(os_port *port) {
  if (sim_strikes(SIM_FAULT_PORT_WAKE)) return sim_result(NPS_E_OUT_OF_MEMORY);
  port->wakes++;
  return NPS_OK;
}

static uint32_t port__deliver(const os_port *port, os_completion *completions, uint32_t capacity) {
  uint32_t count = 0;
  uint32_t left = sim.request_count;
  uint32_t place = left == 0 ? 0 : sim_random(left);
  while (left-- > 0 && count < capacity && sim.request_count > 0) {
    place = place < sim.request_count ? place : 0;
    sim_request *request = sim.requests[place];
    if (request->port == port && request->completed && sim_chance(sim.settings.deliver_percent)) {
      sim_request_hand_out(request, &completions[count++]); /* another takes its place */
    } else {
      place++;
    }
  }
  return count;
}

nps_result os_port_wait(os_port *port, os_completion *completions, uint32_t capacity, int64_t timeout_ms, uint32_t *count) {
  *count = 0;
  sim_check_unlocked("os_port_wait");
  if (capacity == 0 || timeout_ms < NPS_FOREVER) sim_fail("os_port_wait: bad arguments");
  if (port->waiting) sim_fail("two threads wait on one port");
  if (sim_strikes(SIM_FAULT_PORT_WAIT)) return sim_result(NPS_E_OUT_OF_MEMORY);
  const uint64_t deadline = timeout_ms < 0 ? UINT64_MAX : sim.now + (uint64_t)timeout_ms;
  port->waiting = true;
  for (uint32_t round = 0;; round++) {
    sim_step(round > 50);
    *count = port__deliver(port, completions, capacity);
    if (*count > 0 || port->wakes > 0 || sim.now >= deadline || sim_chance(sim.settings.spurious_percent)) break;
    if (timeout_ms < 0 && round == PORT_PATIENCE) sim_fail("a wait would never end");
    sim_moment_passes(SIM_ASLEEP);
    const uint64_t nap = 1 + sim_random(4);
    if (sim.now < deadline) sim.now += nap < deadline - sim.now ? nap : deadline - sim.now;
  }
  port->wakes = 0;
  port->waiting = false;
  return NPS_OK;
}
