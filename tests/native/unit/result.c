/* nps_result: what is packed comes out again, and its sign tells errors from the rest. */
#include "base.h"
#include "test.h"

TEST(test_a_result_holds_status_and_detail) {
  static const uint32_t details[] = {0, 1, 0x7FFFFFFFu, 0x80000000u, 0xFFFFFFFFu};
  for (int32_t status = NPS_E_IO; status <= NPS_MORE_DATA; status++) {
    for (size_t i = 0; i < sizeof details / sizeof details[0]; i++) {
      nps_result result = make_result((nps_status)status, details[i]);
      REQUIRE_EQUAL(status, nps_result_status(result));
      REQUIRE_EQUAL(details[i], nps_result_detail(result));
      REQUIRE((result < 0) == (status < 0));
      REQUIRE((result == NPS_OK) == (status == NPS_OK && details[i] == 0));
    }
  }
}

TEST(test_an_invalid_argument_names_it) {
  nps_result result = invalid_argument(NPS_ARGUMENT_WRITE_LIMIT);
  REQUIRE_INVALID(NPS_ARGUMENT_WRITE_LIMIT, result);
}
