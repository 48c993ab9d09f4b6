/*
 * What the C tests share: cmocka, counts that can be made smaller, random numbers that are the same
 * in every run, and a span table with one trace in it.
 *
 * OPA_TEST_SCALE=N divides the counts of long tests by N. Without it N is 1, under ThreadSanitizer
 * 10, and with OPA_TEST_SLOW set (valgrind) 100.
 */
#ifndef OPA_TEST_SUPPORT_H
#define OPA_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "opa_span.h"
#include "core/opa_otlp.h"
#include "wire.h"

/* In threads and children, where cmocka's assertions may not be used. */
#define CHECK(condition)                                                                           \
	((condition)                                                                                   \
			? (void)0                                                                              \
			: (fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition), abort()))

/* count divided by the scale, but not below least. */
unsigned long scaled(unsigned long count, unsigned long least);

/* The same for what is to be done in full under ThreadSanitizer, too. */
unsigned long scaled_but_tsan(unsigned long count, unsigned long least);

/* SplitMix64 (Steele, Lea, Flood 2014). */
uint64_t random_next(uint64_t *state);
uint64_t random_below(uint64_t *state, uint64_t bound);

/*
 * Resident memory of this process in bytes; 0 where a sanitizer or valgrind (OPA_TEST_SLOW) keeps
 * freed memory, so that it says nothing.
 */
size_t resident_memory(void);

/* A borrowed string. */
opa_str str(const char *text);

/* Attributes with one string or int in them: in static memory of the thread, until the next call.
 */
opa_attributes tag(const char *key, const char *value);
opa_attributes tag_int(const char *key, int64_t value);
opa_attributes tag_value(opa_str key, opa_value value);

/* Wire fields of an event with a name, of a link to some span; as tag(). */
opa_str event_fields(const char *name);
opa_str link_fields(uint8_t byte);

/* What left the table: bytes copied, batches released. */
typedef struct collected {
	uint8_t *data;
	size_t len;
	size_t capacity;
	unsigned batches; /* that had spans */
	unsigned spans;
	bool complete;
	bool error;
	uint64_t counts[OPA_TRACE_COUNTS];
} collected;

/* Takes a batch in and releases it. */
void collect(collected *to, opa_span_table *table, opa_batch *batch);
void collected_free(collected *from);

/* Reads the span with that id; fails the test when it is not there exactly once. */
void collected_get(const collected *from, opa_span_id id, wire_span *span);
bool collected_has(const collected *from, opa_span_id id);

/* A table, an owner, and a trace with an open root. */
typedef struct fixture {
	opa_span_table *table;
	uint64_t owner;
	opa_span_id root;
	opa_span_limits limits; /* may be changed */
	collected out;
} fixture;

extern const opa_span_limits roomy;

/* cmocka's setup and teardown: with 1 and with 64 shards. */
int fixture_setup(void **state);
int fixture_setup_sharded(void **state);
int fixture_teardown(void **state);

/* A trace of its own; its trace id is made of its number. OPA_NO_SPAN when it was refused. */
opa_span_id trace_begin(opa_span_table *table, uint64_t owner, const opa_span_limits *limits);

opa_span_id span_begin(opa_span_table *table, uint64_t owner, opa_span_id parent);

/* The same in the fixture's trace. begin and end fail the test when they are refused. */
opa_span_id begin(fixture *f, opa_span_id parent);
void end(fixture *f, opa_span_id id);
opa_span_result set_tag(fixture *f, opa_span_id id, const char *key, const char *value);
void finish(fixture *f);

/* Begins, finishes and reads a trace: whether the table works. Does not use cmocka. */
bool table_works(opa_span_table *table);

/* Waits for a child; answers its exit status, or 1000 and the signal that killed it. */
int wait_child(int pid);

#endif
