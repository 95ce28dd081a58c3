/* options.h - options as the caller gives them: sizes known, values in range, the first wrong one named. */
#ifndef NPS_CORE_OPTIONS_H
#define NPS_CORE_OPTIONS_H

#include "base.h"

/* Each copies the caller's struct into *complete, which no later change of the caller's can touch; `given` may be null for
 * poll and adopt (all defaults). Answers NPS_OK or NPS_E_INVALID_ARGUMENT with the option. */
nps_result options_poll(const nps_poll_options *given, nps_poll_options *complete);
nps_result options_server(const nps_server_options *given, nps_server_options *complete);
nps_result options_client(const nps_client_options *given, nps_client_options *complete);
nps_result options_adopt(const nps_adopt_options *given, nps_adopt_options *complete);

#endif
