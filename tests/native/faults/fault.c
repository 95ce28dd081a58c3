#include "fault.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "gates.h"
#include "test.h"

#define SITES 1024

static atomic_uint s_calls[SITES]; /* in this run */
static atomic_uint s_injected[SITES];
static fault_plan s_plans[FAULT_PLANS];
static uint32_t s_plan_count;
static atomic_uint s_fired[FAULT_PLANS];
static atomic_bool s_quiet[FAULT_PLANS]; /* what fired need not be heard of */
static atomic_bool s_heard[FAULT_PLANS];
static atomic_bool s_lifted;
static atomic_bool s_closing;
static atomic_llong s_blocks;
static bool s_running;

/* What the runner says when the case fails, or hangs. */
static void fault__note(const fault_plan *plans, uint32_t count) {
  char text[400] = "";
  size_t length = 0;
  for (uint32_t i = 0; i < count && length < sizeof text; i++) {
    const fault_site *site = &fault_sites[plans[i].site];
    length += (size_t)snprintf(text + length, sizeof text - length, "%s%s in %s, call %u: %s%s", i == 0 ? "" : "; ",
        site->import, site->function, plans[i].nth, plans[i].error->name, plans[i].always ? " from then on" : "");
  }
  test_note("fault: %s", count == 0 ? "none" : text);
}

void fault_begin(const fault_plan *plans, uint32_t count) {
  fault__note(plans, count);
  for (uint32_t i = 0; i < SITES; i++) {
    atomic_store(&s_calls[i], 0);
  }
  for (uint32_t i = 0; i < FAULT_PLANS; i++) {
    atomic_store(&s_fired[i], 0);
    atomic_store(&s_quiet[i], true);
    atomic_store(&s_heard[i], false);
    if (i < count) {
      s_plans[i] = plans[i];
    }
  }
  s_plan_count = count;
  atomic_store(&s_lifted, false);
  atomic_store(&s_closing, false);
  fault_own_reset();
  s_running = true;
}

void fault_end(void) {
  s_running = false;
  s_plan_count = 0;
}

fault_plan fault_plan_of(const char *function, const char *import, const char *error) {
  for (uint32_t i = 0; i < fault_site_count; i++) {
    const fault_site *site = &fault_sites[i];
    if (strcmp(site->function, function) != 0 || strcmp(site->import, import) != 0) {
      continue;
    }
    for (const fault_error *one = site->errors; one->name != NULL; one++) {
      if (strcmp(one->name, error) == 0) {
        return (fault_plan){i, 0, one, false};
      }
    }
  }
  FAIL("%s does not call %s, or that does not fail with %s", function, import, error);
}

void fault_describe(void) {
  if (!s_running) {
    return;
  }
  for (uint32_t i = 0; i < s_plan_count; i++) {
    const fault_plan *plan = &s_plans[i];
    const fault_site *site = &fault_sites[plan->site];
    printf("  fault: %s in %s (%s+%u), call %u: %s%s, struck %u times\n", site->import, site->function, site->object,
        site->offset, plan->nth, plan->error->name, plan->always ? " from then on" : "", atomic_load(&s_fired[i]));
  }
  if (s_plan_count == 0) {
    printf("  no fault was planned\n");
  }
  fflush(stdout);
}

static const fault_error *fault__strike(uint32_t site, uint32_t nth) {
  for (uint32_t i = 0; i < s_plan_count; i++) {
    const fault_plan *plan = &s_plans[i];
    bool now = plan->site == site && (nth == plan->nth || (plan->always && nth > plan->nth));
    if (now && !(plan->always && atomic_load(&s_lifted))) {
      if (!plan->error->quiet && !atomic_load(&s_closing)) {
        atomic_store(&s_quiet[i], false);
      }
      atomic_fetch_add(&s_fired[i], 1);
      atomic_fetch_add(&s_injected[site], 1);
      return plan->error;
    }
  }
  return NULL;
}

const fault_error *fault_enter(const fault_group *group, const void *return_address) {
  uint64_t offset = (uint64_t)((uintptr_t)return_address - (uintptr_t)group->base) + group->base_offset;
  uint32_t site = group->first;
  for (uint32_t i = 1; i < group->count && fault_sites[group->first + i].offset < offset; i++) {
    site = group->first + i; /* a relocation is inside the call, or a little before it */
  }
  return fault__strike(site, atomic_fetch_add(&s_calls[site], 1));
}

uint32_t fault_calls(uint32_t site) {
  return atomic_load(&s_calls[site]);
}

uint32_t fault_injected(uint32_t site) {
  return atomic_load(&s_injected[site]);
}

uint32_t fault_fired(void) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < s_plan_count; i++) {
    count += atomic_load(&s_fired[i]);
  }
  return count;
}

bool fault_fired_code(const char *import, const char *error) {
  for (uint32_t i = 0; i < s_plan_count; i++) {
    if (atomic_load(&s_fired[i]) != 0 && strcmp(s_plans[i].error->name, error) == 0 &&
        (import == NULL || strcmp(fault_sites[s_plans[i].site].import, import) == 0)) {
      return true;
    }
  }
  return false;
}

void fault_lift(void) {
  atomic_store(&s_lifted, true);
}

void fault_set_closing(bool closing) {
  atomic_store(&s_closing, closing);
}

void fault_forgive(const fault_error *error) {
  for (uint32_t i = 0; i < s_plan_count; i++) {
    if (s_plans[i].error == error) {
      atomic_store(&s_quiet[i], true);
    }
  }
}

/* Core adds no code of the system's. */
static bool fault__is_memory(const char *import) {
  return strcmp(import, "os_alloc") == 0 || strcmp(import, "calloc") == 0 || strcmp(import, "HeapAlloc") == 0;
}

bool fault_explains(int64_t result) {
  bool explained = false;
  for (uint32_t i = 0; i < s_plan_count; i++) {
    const fault_plan *plan = &s_plans[i];
    if (atomic_load(&s_fired[i]) == 0) {
      continue;
    }
    const char *import = fault_sites[plan->site].import;
    uint32_t detail = nps_result_detail(result);
    bool alike = nps_result_status(result) == fault_status_of(import, plan->error->code) &&
                 (detail == plan->error->code || (detail == 0 && fault__is_memory(import)) ||
                     nps_result_status(result) == NPS_END_OF_STREAM);
    if (alike || fault_may_mean(import, plan->error->code, result)) {
      atomic_store(&s_heard[i], true);
      explained = true;
    }
  }
  return explained;
}

uint32_t fault_unheard(void) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < s_plan_count; i++) {
    count += atomic_load(&s_fired[i]) != 0 && !atomic_load(&s_quiet[i]) && !atomic_load(&s_heard[i]);
  }
  return count;
}

int64_t fault_blocks(void) {
  return atomic_load(&s_blocks);
}

void fault_count_block(int difference) {
  atomic_fetch_add(&s_blocks, difference);
}
