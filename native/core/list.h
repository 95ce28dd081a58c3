/* list.h - an intrusive, doubly linked list. A node is in one list at most; a zeroed node is in none. */
#ifndef NPS_CORE_LIST_H
#define NPS_CORE_LIST_H

#include <stdbool.h>
#include <stddef.h>

typedef struct list_node {
  struct list_node *next;
  struct list_node *prev;
} list_node;

typedef struct list {
  list_node head; /* next = first, prev = last */
} list;

static inline void list_init(list *l) {
  l->head.next = l->head.prev = &l->head;
}

static inline bool list_empty(const list *l) {
  return l->head.next == &l->head;
}

static inline bool list_contains(const list_node *node) {
  return node->next != NULL;
}

static inline void list_append(list *l, list_node *node) {
  node->prev = l->head.prev;
  node->next = &l->head;
  l->head.prev->next = node;
  l->head.prev = node;
}

static inline void list_remove(list_node *node) {
  node->prev->next = node->next;
  node->next->prev = node->prev;
  node->next = node->prev = NULL;
}

/* The first node, taken out; null when there is none. */
static inline list_node *list_take_first(list *l) {
  list_node *node = l->head.next;
  if (node == &l->head)
    return NULL;
  l->head.next = node->next;
  node->next->prev = &l->head;
  node->next = node->prev = NULL;
  return node;
}

#endif
