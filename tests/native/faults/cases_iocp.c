/* cases_iocp.c - a case for each scenario; the last one looks at all of them together. */
#include "scenarios.h"
#include "test.h"

TEST(test_faults_of_a_poll) {
  explore(&scenario_poll);
}
TEST(test_faults_of_a_transfer) {
  explore(&scenario_transfer);
}
TEST(test_faults_of_a_transfer_on_demand) {
  explore(&scenario_on_demand);
}
TEST(test_faults_of_one_way_pipes) {
  explore(&scenario_one_way);
}
TEST(test_faults_of_connections_one_after_the_other) {
  explore(&scenario_relisten);
}
TEST(test_faults_of_a_close_that_lingers) {
  explore(&scenario_linger);
}
TEST(test_faults_of_adopted_handles) {
  explore(&scenario_adopt);
}
TEST(test_faults_of_names) {
  explore(&scenario_names);
}
TEST(test_faults_of_a_descriptor_of_the_callers) {
  explore(&scenario_descriptor);
}
TEST(test_faults_of_opening) {
  explore(&scenario_open);
}
TEST(test_faults_of_messages) {
  explore(&scenario_messages);
}
TEST(test_faults_of_questions) {
  explore(&scenario_ask);
}
TEST(test_faults_among_threads) {
  explore(&scenario_threads);
}

TEST(test_every_call_to_the_system_has_failed) {
  REQUIRE(explore_report());
}
