#include "explore.h"

#include <stdio.h>
#include <stdlib.h>

#include "fault.h"
#include "sys.h"
#include "world.h"

#define FIRST_CALLS 4u /* of a site in one scenario; and the last */
#define SITES 1024

static uint32_t s_runs;
static uint32_t s_handles; /* what the process holds between runs */
static int64_t s_blocks;

/* ---- one run ---- */

static void explore__run(const scenario *one, const fault_plan *plans, uint32_t count) {
  bool stale = true;
  fault_begin(plans, count);
  one->run();
  s_runs++;
  fault_lift();
  uint32_t handles = sys_handle_count();
  if (handles != s_handles) {
    WORLD_FAIL("%s: %d handles or descriptors too many", one->name, (int)(handles - s_handles));
  }
  if (fault_blocks() != s_blocks) {
    WORLD_FAIL("%s: %d blocks of memory are left", one->name, (int)(fault_blocks() - s_blocks));
  }
  unsigned files = explore_files(&stale);
  if (files != 0 && (fault_fired() == 0 || !stale)) {
    WORLD_FAIL("%s: %u files are left", one->name, files);
  }
  if (fault_unheard() != 0) {
    WORLD_FAIL("%s: nobody has heard of the fault", one->name);
  }
  if (!one->loose && count == 1 && fault_fired() == 0) {
    WORLD_FAIL("%s: the call did not come", one->name);
  }
  fault_end();
}

/* Sites that only come after faults, each with those. */
typedef struct discovery {
  fault_plan plans[FAULT_PLANS]; /* the last one is for the site that was found */
  uint32_t count;
} discovery;

static discovery s_found[SITES];
static uint32_t s_found_count;

static void explore__add(const fault_plan *plans, uint32_t count, uint32_t site) {
  for (uint32_t i = 0; i < s_found_count; i++) {
    if (s_found[i].plans[s_found[i].count - 1].site == site) {
      return;
    }
  }
  discovery *made = &s_found[s_found_count++];
  for (uint32_t i = 0; i < count; i++) {
    made->plans[i] = plans[i];
  }
  made->plans[count] = (fault_plan){.site = site, .nth = 0};
  made->count = count + 1;
}

/* After a run: has it made calls that no run has failed so far, nor will? */
static void explore__look(const fault_plan *plans, uint32_t count, const uint32_t *usual) {
  for (uint32_t site = 0; count < FAULT_PLANS && site < fault_site_count; site++) {
    if (fault_calls(site) != 0 && usual[site] == 0 && fault_injected(site) == 0) {
      explore__add(plans, count, site);
    }
  }
}

static void explore__site(const scenario *one, uint32_t site, uint32_t calls, const uint32_t *usual) {
  for (uint32_t nth = 0; nth < calls; nth++) {
    if (nth >= FIRST_CALLS && nth + 1 < calls) {
      continue;
    }
    for (const fault_error *error = fault_sites[site].errors; error->name != NULL; error++) {
      for (int always = 0; always <= (int)error->lasting; always++) {
        fault_plan plan = {site, nth, error, always != 0};
        explore__run(one, &plan, 1);
        explore__look(&plan, 1, usual);
        explore__run(one, NULL, 0);
      }
    }
  }
}

static void explore__found(const scenario *one, const uint32_t *usual) {
  for (uint32_t i = 0; i < s_found_count; i++) { /* grows */
    discovery *found = &s_found[i];
    fault_plan *last = &found->plans[found->count - 1];
    for (const fault_error *error = fault_sites[last->site].errors; error->name != NULL; error++) {
      last->error = error;
      explore__run(one, found->plans, found->count);
      explore__look(found->plans, found->count, usual);
      explore__run(one, NULL, 0);
    }
  }
}

void explore(const scenario *one) {
  static uint32_t s_usual[SITES];
  uint64_t start = sys_now_ms();
  uint32_t runs = s_runs;
  REQUIRE(fault_site_count <= SITES);
  fault_end(); /* of the case before, if it failed */
  explore_begin_files();
  s_handles = sys_handle_count();
  s_found_count = 0;
  fault_begin(NULL, 0); /* what a first run opens for good is not a leak */
  one->run();
  fault_end();
  s_handles = sys_handle_count();
  s_blocks = fault_blocks();

  explore__run(one, NULL, 0);
  for (uint32_t site = 0; site < fault_site_count; site++) {
    s_usual[site] = fault_calls(site);
  }
  for (uint32_t site = 0; site < fault_site_count; site++) {
    explore__site(one, site, s_usual[site], s_usual);
  }
  explore__found(one, s_usual);
  explore_end_files();
  printf("     %s: %u runs, %u ms\n", one->name, s_runs - runs, (unsigned)(sys_now_ms() - start));
}

/* ---- the table ---- */

bool explore_report(void) {
  uint32_t struck = 0, missed = 0, reasoned = 0;
  printf("     faults  site\n");
  for (uint32_t i = 0; i < fault_site_count; i++) {
    const fault_site *site = &fault_sites[i];
    if (site->errors->name == NULL) {
      continue; /* it cannot fail */
    }
    uint32_t injected = fault_injected(i);
    printf("     %6u  %s in %s, %s+%u\n", injected, site->import, site->function, site->object, site->offset);
    struck += injected != 0;
    if (injected != 0 && site->unreached != NULL) {
      printf("  that call was said to be out of reach: %s\n", site->unreached);
      missed++;
    } else if (injected == 0 && site->unreached == NULL) {
      printf("  no test has had that call fail\n");
      missed++;
    }
    reasoned += injected == 0 && site->unreached != NULL;
  }
  printf("     %u sites: %u struck, %u out of reach for a reason, %u wrong; %u runs\n", struck + missed + reasoned,
      struck, reasoned, missed, s_runs);
  return missed == 0 && struck > 0;
}
