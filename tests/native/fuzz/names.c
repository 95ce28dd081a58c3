/* names.c - see names.h. */
#include "names.h"

#include "options.h"

nps_result names_refused(void) {
  return (nps_result)((uint64_t)(uint32_t)NPS_E_INVALID_ARGUMENT << 32 | NPS_ARGUMENT_NAME);
}

bool names_core_takes(const char *name) {
  nps_server_options given, complete;
  (void)nps_server_options_init(&given, sizeof given);
  given.name = name;
  const nps_result result = options_server(&given, &complete);
  const bool good = name[0] != '\0' && fuzz_is_utf8(name);
  if (result != (good ? NPS_OK : names_refused()))
    fuzz_fail("core takes what is not UTF-8, or refuses what is");
  return good;
}
