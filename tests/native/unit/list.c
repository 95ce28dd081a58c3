/* core/list.h */
#include "list.h"

#include "test.h"

typedef struct item {
  int number;
  list_node node;
} item;

static int taken_number(list *l) {
  list_node *node = list_take_first(l);
  return node == NULL ? -1 : ((item *)(void *)((char *)node - offsetof(item, node)))->number;
}

TEST(test_an_empty_list_has_no_first) {
  list l;
  list_init(&l);
  REQUIRE(list_empty(&l));
  REQUIRE(list_take_first(&l) == NULL);
}

TEST(test_nodes_come_out_in_the_order_they_went_in) {
  list l;
  item items[5] = {{0}};
  list_init(&l);
  for (int i = 0; i < 5; i++) {
    items[i].number = i;
    REQUIRE(!list_contains(&items[i].node)); /* a zeroed node is in no list */
    list_append(&l, &items[i].node);
    REQUIRE(list_contains(&items[i].node));
  }
  for (int i = 0; i < 5; i++) {
    REQUIRE(!list_empty(&l));
    REQUIRE_EQUAL(i, taken_number(&l));
    REQUIRE(!list_contains(&items[i].node));
  }
  REQUIRE(list_empty(&l));
}

TEST(test_nodes_leave_from_anywhere_and_come_back) {
  list l;
  item items[4] = {{0}};
  list_init(&l);
  for (int i = 0; i < 4; i++) {
    items[i].number = i;
    list_append(&l, &items[i].node);
  }
  list_remove(&items[0].node);
  list_remove(&items[2].node);
  list_append(&l, &items[0].node);
  REQUIRE(list_contains(&items[0].node) && !list_contains(&items[2].node));
  REQUIRE_EQUAL(1, taken_number(&l));
  REQUIRE_EQUAL(3, taken_number(&l));
  REQUIRE_EQUAL(0, taken_number(&l));
  REQUIRE_EQUAL(-1, taken_number(&l));
}
