#include "support.h"

#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

/* gcc says it with macros, clang with features. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN
#elif __has_feature(address_sanitizer)
#define UNDER_ASAN
#endif
#endif

#if defined(__SANITIZE_THREAD__) || defined(UNDER_TSAN)
#define USUAL_SCALE  10
#define KEEPS_MEMORY true
#elif defined(__SANITIZE_ADDRESS__) || defined(UNDER_ASAN)
#define USUAL_SCALE  1
#define KEEPS_MEMORY true
#else
#define USUAL_SCALE  1
#define KEEPS_MEMORY false
#endif

static unsigned long divided(unsigned long count, unsigned long least, unsigned long scale)
{
	const char *wanted = getenv("OPA_TEST_SCALE");
	if (wanted != NULL && atol(wanted) > 0) {
		scale = (unsigned long)atol(wanted);
	} else if (getenv("OPA_TEST_SLOW") != NULL) {
		scale = 100;
	}
	return count / scale < least ? least : count / scale;
}

unsigned long scaled(unsigned long count, unsigned long least)
{
	return divided(count, least, USUAL_SCALE);
}

unsigned long scaled_but_tsan(unsigned long count, unsigned long least)
{
	return divided(count, least, 1);
}

uint64_t random_next(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

uint64_t random_below(uint64_t *state, uint64_t bound)
{
	return random_next(state) % bound;
}

size_t resident_memory(void)
{
	unsigned long size, resident = 0;
	if (KEEPS_MEMORY || getenv("OPA_TEST_SLOW") != NULL) {
		return 0;
	}
	FILE *file = fopen("/proc/self/statm", "r");
	CHECK(file != NULL);
	CHECK(fscanf(file, "%lu %lu", &size, &resident) == 2);
	fclose(file);
	return resident * (size_t)sysconf(_SC_PAGESIZE);
}

opa_str str(const char *text)
{
	return (opa_str){text, strlen(text)};
}

static _Thread_local uint8_t scratch[1 << 16];

opa_attributes tag_value(opa_str key, opa_value value)
{
	opa_writer w = {scratch + sizeof(scratch)};
	CHECK(opa_attribute_bound(key.len, &value) <= sizeof(scratch));
	opa_write_attribute(&w, OPA_TAG_SPAN_ATTRIBUTE, key, &value);
	return (opa_attributes){w.pos, (size_t)(scratch + sizeof(scratch) - w.pos), 0};
}

opa_attributes tag(const char *key, const char *value)
{
	return tag_value(str(key), OPA_VALUE_OF_STRING(str(value)));
}

opa_attributes tag_int(const char *key, int64_t value)
{
	return tag_value(str(key), OPA_VALUE_OF_INT(value));
}

opa_str event_fields(const char *name)
{
	opa_writer w = {scratch + sizeof(scratch)};
	opa_write_string(&w, OPA_TAG_EVENT_NAME, str(name));
	return (opa_str){(char *)w.pos, (size_t)(scratch + sizeof(scratch) - w.pos)};
}

opa_str link_fields(uint8_t byte)
{
	opa_writer w = {scratch + sizeof(scratch)};
	char bytes[16];
	memset(bytes, byte, sizeof(bytes));
	opa_write_raw(&w, bytes, 8);
	*--w.pos = 8;
	*--w.pos = OPA_TAG_LINK_SPAN_ID;
	opa_write_raw(&w, bytes, 16);
	*--w.pos = 16;
	*--w.pos = OPA_TAG_LINK_TRACE_ID;
	return (opa_str){(char *)w.pos, (size_t)(scratch + sizeof(scratch) - w.pos)};
}

void collect(collected *to, opa_span_table *table, opa_batch *batch)
{
	CHECK((batch->data == NULL) == (batch->spans == 0));
	CHECK((batch->data == NULL) == (batch->len == 0));
	if (batch->data != NULL) {
		CHECK(batch->data - batch->block >= OPA_BATCH_HEADROOM);
		memset(batch->data - OPA_BATCH_HEADROOM, 0xA5, OPA_BATCH_HEADROOM);
		if (to->capacity - to->len < batch->len) {
			to->capacity = (to->len + batch->len) * 2;
			to->data = realloc(to->data, to->capacity);
			CHECK(to->data != NULL);
		}
		memcpy(to->data + to->len, batch->data, batch->len);
		to->len += batch->len;
		to->spans += batch->spans;
		to->batches++;
	}
	if (batch->data != NULL || batch->complete) {
		for (int i = 0; i < OPA_TRACE_COUNTS; i++) {
			to->counts[i] += batch->counts[i];
		}
		to->complete |= batch->complete;
		to->error |= batch->error;
	}
	opa_batch_release(table, batch);
	CHECK(batch->data == NULL && batch->block == NULL);
}

void collected_free(collected *from)
{
	free(from->data);
	memset(from, 0, sizeof(*from));
}

static unsigned times_there(const collected *from, opa_span_id id, wire_span *found)
{
	static wire_span each;
	unsigned times = 0;
	for (size_t at = 0; wire_next_span(from->data, from->len, &at, &each);) {
		if (each.id == id) {
			times++;
			*found = each;
		}
	}
	return times;
}

void collected_get(const collected *from, opa_span_id id, wire_span *span)
{
	assert_int_equal(times_there(from, id, span), 1);
}

bool collected_has(const collected *from, opa_span_id id)
{
	static wire_span span;
	unsigned times = times_there(from, id, &span);
	assert_true(times <= 1);
	return times == 1;
}

const opa_span_limits roomy = {
	.attributes = 128,
	.events = 128,
	.links = 128,
	.trace_size = SIZE_MAX / 2,
	.flush_size = SIZE_MAX / 2,
};

static int setup(void **state, unsigned shards)
{
	fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	f->limits = roomy;
	f->table = opa_span_table_create(shards);
	assert_non_null(f->table);
	f->owner = opa_span_owner_make(f->table);
	f->root = trace_begin(f->table, f->owner, &f->limits);
	assert_true(f->root != OPA_NO_SPAN);
	*state = f;
	return 0;
}

int fixture_setup(void **state)
{
	return setup(state, 1);
}

int fixture_setup_sharded(void **state)
{
	return setup(state, 64);
}

int fixture_teardown(void **state)
{
	fixture *f = *state;
	opa_span_table_destroy(f->table);
	collected_free(&f->out);
	free(f);
	return 0;
}

opa_span_id trace_begin(opa_span_table *table, uint64_t owner, const opa_span_limits *limits)
{
	static atomic_ullong traces;
	unsigned long long number = atomic_fetch_add(&traces, 1) + 1;
	opa_trace_start start = {
		.owner = owner,
		.flags = 1,
		.limits = limits,
		.name = OPA_STR("root"),
		.kind = OPA_KIND_SERVER,
		.start = OPA_NOW,
	};
	memcpy(start.trace_id + 8, &number, sizeof(number));
	opa_span_id root;
	opa_span_result result = opa_trace_begin(table, &start, &root);
	CHECK((result == OPA_SPAN_OK) == (root != OPA_NO_SPAN));
	return root;
}

opa_span_id span_begin(opa_span_table *table, uint64_t owner, opa_span_id parent)
{
	opa_span_start start = {
		.parent = parent, .name = OPA_STR("child"), .kind = OPA_KIND_INTERNAL, .start = OPA_NOW};
	opa_span_id id;
	opa_span_result result = opa_span_begin(table, owner, &start, &id);
	CHECK((result == OPA_SPAN_OK) == (id != OPA_NO_SPAN));
	return id;
}

opa_span_id begin(fixture *f, opa_span_id parent)
{
	opa_span_id id = span_begin(f->table, f->owner, parent);
	assert_true(id != OPA_NO_SPAN);
	return id;
}

void end(fixture *f, opa_span_id id)
{
	opa_batch batch;
	assert_int_equal(opa_span_end(f->table, f->owner, id, OPA_NOW, &batch), OPA_SPAN_OK);
	if (batch.data != NULL) {
		collect(&f->out, f->table, &batch);
	}
}

opa_span_result set_tag(fixture *f, opa_span_id id, const char *key, const char *value)
{
	return opa_span_set_attributes(f->table, f->owner, id, tag(key, value));
}

void finish(fixture *f)
{
	opa_batch batch;
	assert_int_equal(
		opa_trace_finish(f->table, f->owner, f->root, OPA_NO_SPAN, 0, &batch), OPA_SPAN_OK);
	assert_true(batch.complete);
	collect(&f->out, f->table, &batch);
}

bool table_works(opa_span_table *table)
{
	opa_batch batch;
	uint64_t owner = opa_span_owner_make(table);
	opa_span_id root = trace_begin(table, owner, &roomy);
	opa_span_id child = span_begin(table, owner, root);
	if (root == OPA_NO_SPAN || child == OPA_NO_SPAN ||
		opa_span_set_attributes(table, owner, child, tag("k", "v")) != OPA_SPAN_OK ||
		opa_span_end(table, owner, child, OPA_NOW, &batch) != OPA_SPAN_OK ||
		opa_trace_finish(table, owner, root, OPA_NO_SPAN, 0, &batch) != OPA_SPAN_OK) {
		return false;
	}
	bool right = batch.spans == 2 && batch.counts[OPA_TRACE_SPANS_UNFINISHED] == 1;
	opa_batch_release(table, &batch);
	return right;
}

int wait_child(int pid)
{
	int status;
	CHECK(waitpid(pid, &status, 0) == pid);
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}
