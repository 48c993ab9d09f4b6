/*
 * The predecessor's crash: a tag was written into a span whose memory the end of the request had
 * freed. Its analysis ended with four recommendations and three doubts; for each of the seven there
 * is a test here of that name, which shows by behaviour that the table answers it. The sanitizers
 * and valgrind look on.
 */
#include "support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>

static wire_span span;

/* ---- 1. malloc for spans ---- */

/* Memory of a request: after its end, or here after the call, whoever touches it dies. */
struct arena {
	char *memory;
	size_t used;
};

#define ARENA_SIZE ((size_t)1 << 16)

static void arena_open(struct arena *arena)
{
	arena->memory =
		mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(arena->memory != MAP_FAILED);
	arena->used = 0;
}

static void arena_close(struct arena *arena)
{
	assert_int_equal(munmap(arena->memory, ARENA_SIZE), 0);
}

static opa_str in_arena(struct arena *arena, const void *data, size_t len)
{
	char *copy = arena->memory + arena->used;
	assert_true(len <= ARENA_SIZE - arena->used);
	memcpy(copy, data, len);
	arena->used += len;
	return (opa_str){copy, len};
}

static opa_attributes tag_in_arena(struct arena *arena, const char *key, const char *value)
{
	opa_attributes one = tag(key, value);
	opa_str copy = in_arena(arena, one.wire, one.len);
	return (opa_attributes){(const uint8_t *)copy.data, copy.len, 0};
}

static opa_span_id span_from_arena(fixture *f)
{
	struct arena arena;
	arena_open(&arena);
	opa_attributes attributes = tag_in_arena(&arena, "at start", "one");
	opa_span_start start = {.parent = f->root,
		.name = in_arena(&arena, "a name", 6),
		.kind = OPA_KIND_INTERNAL,
		.start = OPA_NOW,
		.attributes = &attributes};
	opa_span_id id;
	assert_int_equal(opa_span_begin(f->table, f->owner, &start, &id), OPA_SPAN_OK);
	opa_str event = event_fields("an event"), message = in_arena(&arena, "message", 7);
	event = in_arena(&arena, event.data, event.len);
	opa_span_add_event(f->table, f->owner, id, OPA_NOW, event);
	opa_span_set_attributes(f->table, f->owner, id, tag_in_arena(&arena, "later", "two"));
	opa_span_set_status(f->table, f->owner, id, OPA_STATUS_ERROR, message, false);
	arena_close(&arena);
	return id;
}

static void finding_1_malloc_for_spans(void **state)
{
	fixture *f = *state;
	opa_span_id id = span_from_arena(f), open = span_from_arena(f);
	/* The memory of the request is gone; the spans are not. */
	assert_int_equal(set_tag(f, id, "after", "three"), OPA_SPAN_OK);
	end(f, id);
	finish(f);
	assert_int_equal(set_tag(f, open, "much later", "four"), OPA_SPAN_UNKNOWN);
	collected_get(&f->out, id, &span);
	assert_true(wire_is(span.name, "a name") && wire_is(span.message, "message"));
	assert_true(wire_is(span.events[0].name, "an event"));
	assert_true(wire_is(wire_string(*wire_attribute(&span, "at start")), "one"));
	assert_true(wire_is(wire_string(*wire_attribute(&span, "later")), "two"));
	assert_true(wire_is(wire_string(*wire_attribute(&span, "after")), "three"));
}

/* ---- threads ---- */

#define HELPERS 3

struct helper {
	fixture *f;
	unsigned number;
	_Atomic opa_span_id *id; /* what to work on; OPA_NO_SPAN: stop */
	uint32_t last;           /* value that was set last */
	atomic_ulong done;       /* calls that said OK */
	pthread_t thread;
};

static void helpers_start(
	struct helper *helpers, fixture *f, _Atomic opa_span_id *id, void *(*work)(void *))
{
	for (unsigned i = 0; i < HELPERS; i++) {
		helpers[i] = (struct helper){.f = f, .number = i, .id = id};
		assert_int_equal(pthread_create(&helpers[i].thread, NULL, work, &helpers[i]), 0);
	}
}

static void helpers_join(struct helper *helpers)
{
	for (unsigned i = 0; i < HELPERS; i++) {
		pthread_join(helpers[i].thread, NULL);
	}
}

static bool all_helped(struct helper *helpers)
{
	for (unsigned i = 0; i < HELPERS; i++) {
		if (atomic_load(&helpers[i].done) == 0) {
			return false;
		}
	}
	return true;
}

/* ---- 2. a mutex around span access ---- */

/* Both attributes have the same value, and its length changes, so that bytes are moved. */
static opa_attributes twins(uint8_t *room, unsigned n)
{
	char text[40];
	memset(text, 'a' + (int)(n % 26), n % 39 + 1);
	text[n % 39 + 1] = '\0';
	opa_attributes one = tag("left", text);
	memcpy(room, one.wire, one.len);
	size_t len = one.len;
	one = tag("right", text);
	memcpy(room + len, one.wire, one.len);
	return (opa_attributes){room, len + one.len, 0};
}

static void *set_twins(void *arg)
{
	struct helper *h = arg;
	uint8_t room[256];
	for (unsigned i = 0; i < scaled(50000, 500); i++) {
		opa_attributes both = twins(room, i * HELPERS + h->number);
		CHECK(opa_span_set_attributes(h->f->table, h->f->owner, *h->id, both) == OPA_SPAN_OK);
		opa_span_set_name(h->f->table, h->f->owner, *h->id, str(i % 2 ? "short" : "a longer one"));
	}
	return NULL;
}

static void finding_2_a_mutex_around_span_access(void **state)
{
	fixture *f = *state;
	struct helper helpers[HELPERS];
	_Atomic opa_span_id id = begin(f, f->root);
	helpers_start(helpers, f, &id, set_twins);
	helpers_join(helpers);
	end(f, id);
	finish(f);
	collected_get(&f->out, id, &span);
	assert_int_equal(span.attribute_count, 2);
	opa_str left = wire_string(*wire_attribute(&span, "left"));
	opa_str right = wire_string(*wire_attribute(&span, "right"));
	assert_true(left.len == right.len && memcmp(left.data, right.data, left.len) == 0);
}

/* ---- 3. the id is validated before the access ---- */

static void finding_3_the_id_is_validated_before_access(void **state)
{
	fixture *f = *state;
	opa_span_id id = begin(f, f->root), ended = begin(f, f->root);
	uint64_t stranger = opa_span_owner_make(f->table);
	end(f, ended);
	for (int bit = 0; bit < 64; bit++) {
		opa_span_id wrong = id ^ (uint64_t)1 << bit;
		assert_int_equal(set_tag(f, wrong, "k", "v"), OPA_SPAN_UNKNOWN);
		assert_int_equal(opa_span_set_name(f->table, f->owner, wrong, str("x")), OPA_SPAN_UNKNOWN);
	}
	assert_int_equal(set_tag(f, ended, "k", "v"), OPA_SPAN_UNKNOWN);
	assert_int_equal(
		opa_span_set_attributes(f->table, stranger, id, tag("k", "v")), OPA_SPAN_UNKNOWN);
	end(f, id);
	finish(f);
	collected_get(&f->out, id, &span);
	assert_true(span.attribute_count == 0 && wire_is(span.name, "child"));
}

/* ---- 4. removed from the table before it is freed ---- */

static void *tag_with_own_id(void *arg)
{
	struct helper *h = arg;
	opa_span_id id;
	while ((id = atomic_load(h->id)) != OPA_NO_SPAN) {
		opa_attributes own = tag_int("id", (int64_t)id);
		if (opa_span_set_attributes(h->f->table, h->f->owner, id, own) == OPA_SPAN_OK) {
			atomic_fetch_add(&h->done, 1);
		}
	}
	return NULL;
}

/*
 * The block of the span that ended is at once that of the next one. Were the old id still to lead
 * to it, the new span would get the old one's tags.
 */
static void finding_4_removed_from_the_table_before_it_is_freed(void **state)
{
	fixture *f = *state;
	struct helper helpers[HELPERS];
	_Atomic opa_span_id shared = begin(f, f->root);
	unsigned tagged = 0;
	helpers_start(helpers, f, &shared, tag_with_own_id);
	unsigned long rounds = scaled(100000, 500);
	/* At least so often, and until each helper had its part in it. */
	for (unsigned long i = 0; i < rounds || (i < 100 * rounds && !all_helped(helpers)); i++) {
		opa_span_id old = shared;
		end(f, old);
		assert_int_equal(set_tag(f, old, "late", "v"), OPA_SPAN_UNKNOWN);
		atomic_store(&shared, begin(f, f->root));
	}
	end(f, shared);
	atomic_store(&shared, OPA_NO_SPAN);
	helpers_join(helpers);
	finish(f);
	size_t at = 0;
	while (wire_next_span(f->out.data, f->out.len, &at, &span)) {
		const opa_str *any = wire_attribute(&span, "id");
		assert_true(any == NULL || (opa_span_id)wire_int(*any) == span.id);
		assert_null(wire_attribute(&span, "late"));
		tagged += any != NULL;
	}
	assert_true(tagged > 0);
}

/* ---- 5. "is it active?" is not enough ---- */

struct step {
	fixture *f;
	opa_span_id id;
	pthread_barrier_t *barrier;
};

static void *ask_then_tag(void *arg)
{
	struct step *s = arg;
	CHECK(opa_span_is_open(s->f->table, s->f->owner, s->id));
	pthread_barrier_wait(s->barrier); /* it was active ... */
	pthread_barrier_wait(s->barrier); /* ... and the request has ended since */
	CHECK(opa_span_set_attributes(s->f->table, s->f->owner, s->id, tag("k", "v")) ==
		  OPA_SPAN_UNKNOWN);
	return NULL;
}

static void finding_5_is_it_active_is_not_enough(void **state)
{
	fixture *f = *state;
	pthread_barrier_t barrier;
	pthread_t thread;
	struct step step = {f, begin(f, f->root), &barrier};
	pthread_barrier_init(&barrier, NULL, 2);
	assert_int_equal(pthread_create(&thread, NULL, ask_then_tag, &step), 0);
	pthread_barrier_wait(&barrier);
	finish(f);
	pthread_barrier_wait(&barrier);
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&barrier);
	collected_get(&f->out, step.id, &span);
	assert_null(wire_attribute(&span, "k"));
}

/* ---- 6. no race between the check and the access ---- */

/* Tags until the span is gone; after that it must stay gone. */
static void *tag_until_gone(void *arg)
{
	struct helper *h = arg;
	opa_span_id id = *h->id;
	char key[8] = {'h', (char)('0' + h->number), 0};
	while (opa_span_set_attributes(h->f->table, h->f->owner, id, tag_int(key, h->last + 1)) ==
		   OPA_SPAN_OK) {
		h->last++;
	}
	for (int i = 0; i < 100; i++) {
		CHECK(opa_span_set_attributes(h->f->table, h->f->owner, id, tag(key, "gone")) ==
			  OPA_SPAN_UNKNOWN);
	}
	return NULL;
}

static void finding_6_no_race_between_check_and_access(void **state)
{
	fixture *f = *state;
	uint64_t seed = 71;
	for (unsigned long round = scaled(2000, 20); round > 0; round--) {
		struct helper helpers[HELPERS];
		_Atomic opa_span_id id = begin(f, f->root);
		helpers_start(helpers, f, &id, tag_until_gone);
		for (uint64_t i = random_below(&seed, 200); i > 0; i--) {
			opa_span_is_open(f->table, f->owner, id);
		}
		finish(f);
		helpers_join(helpers);
		collected_get(&f->out, id, &span);
		for (unsigned i = 0; i < HELPERS; i++) {
			char key[8] = {'h', (char)('0' + i), 0};
			const opa_str *any = wire_attribute(&span, key);
			/* What was accepted is there, and nothing else. */
			assert_true(any == NULL ? helpers[i].last == 0 : wire_int(*any) == helpers[i].last);
		}
		collected_free(&f->out);
		f->root = trace_begin(f->table, f->owner, &f->limits);
	}
}

/* ---- 7. nothing is freed between the check and the access ---- */

/* Values that are too large for a block, so that each tag moves and frees memory. */
static void *tag_large(void *arg)
{
	struct helper *h = arg;
	static _Thread_local char text[4000];
	opa_span_id id;
	unsigned n = 0;
	while ((id = atomic_load(h->id)) != OPA_NO_SPAN) {
		size_t len = 1 + n++ * 977 % (sizeof(text) - 1);
		memset(text, 'A' + (int)h->number, len);
		text[len] = '\0';
		char key[8] = {'h', (char)('0' + h->number), (char)('0' + n % 10), 0};
		opa_span_set_attributes(h->f->table, h->f->owner, id, tag(key, text));
		opa_span_set_status(h->f->table, h->f->owner, id, OPA_STATUS_ERROR, str(text), false);
	}
	return NULL;
}

static void check_large(const wire_span *large)
{
	for (uint32_t i = 0; i < large->attribute_count; i++) {
		if (large->keys[i].data[0] != 'h') {
			continue;
		}
		opa_str value = wire_string(large->values[i]);
		char letter = (char)('A' + large->keys[i].data[1] - '0');
		for (size_t k = 0; k < value.len; k++) {
			assert_true(value.data[k] == letter);
		}
	}
}

/*
 * Traces finish, with more spans than a pool keeps blocks, so that blocks really are freed, while
 * the helpers write to them.
 */
static void finding_7_nothing_is_freed_between_the_check_and_the_access(void **state)
{
	fixture *f = *state;
	struct helper helpers[HELPERS];
	_Atomic opa_span_id shared = begin(f, f->root);
	helpers_start(helpers, f, &shared, tag_large);
	for (unsigned long round = scaled(3000, 20); round > 0; round--) {
		for (int i = 0; i < 40; i++) {
			opa_span_id id = begin(f, f->root);
			atomic_store(&shared, id);
			assert_int_equal(set_tag(f, id, "k", "v"), OPA_SPAN_OK);
		}
		finish(f);
		size_t at = 0;
		while (wire_next_span(f->out.data, f->out.len, &at, &span)) {
			check_large(&span);
		}
		collected_free(&f->out);
		f->root = trace_begin(f->table, f->owner, &f->limits);
	}
	atomic_store(&shared, OPA_NO_SPAN);
	helpers_join(helpers);
}

int main(void)
{
#define TEST(t)    cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
#define SHARDED(t) cmocka_unit_test_setup_teardown(t, fixture_setup_sharded, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(finding_1_malloc_for_spans),
		TEST(finding_2_a_mutex_around_span_access),
		TEST(finding_3_the_id_is_validated_before_access),
		TEST(finding_4_removed_from_the_table_before_it_is_freed),
		TEST(finding_5_is_it_active_is_not_enough),
		TEST(finding_6_no_race_between_check_and_access),
		SHARDED(finding_7_nothing_is_freed_between_the_check_and_the_access),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
