/* abi_facts.h - what the compiler made of nps.h, as a table that a test in another language can read.
 *
 * The test-only library nps_abi_facts exports one function. tests/NamedPipeShim.Tests/AbiLayoutTests.cs compares its table
 * with the generated bindings, in both directions: a struct, field, enum, member or constant that stands in only one of
 * them is a failure. */
#ifndef ABI_FACTS_H
#define ABI_FACTS_H

#include <stdint.h>

typedef enum abi_fact_kind {
  ABI_STRUCT = 1,   /* name: struct; size: its size */
  ABI_FIELD = 2,    /* name: struct.field; value: its offset; size: its size */
  ABI_ENUM = 3,     /* name: enum; size: its size */
  ABI_MEMBER = 4,   /* name: enum.member; value: its value */
  ABI_CONSTANT = 5, /* name: macro; value: its value */
  ABI_TYPE = 6      /* name: a type of the signatures; size: its size */
} abi_fact_kind;

typedef struct abi_fact {
  const char *name; /* static */
  int64_t value;    /* 0 where it means nothing */
  int32_t size;     /* likewise */
  int32_t kind;
} abi_fact;

#if defined(_WIN32)
#define ABI_FACTS_API __declspec(dllexport)
#else
#define ABI_FACTS_API __attribute__((visibility("default")))
#endif

/* The table, static; *count says how many entries it has. */
ABI_FACTS_API const abi_fact *nps_abi_facts(int32_t *count);

#endif
