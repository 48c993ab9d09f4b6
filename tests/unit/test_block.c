/* The memory of one open span. */
#include "support.h"
#include "core/opa_alloc.h"
#include "core/opa_block.h"

static opa_block_pool pool;
static opa_block *block;

static int take(void **state)
{
	(void)state;
	pool = (opa_block_pool){.limit = 4};
	block = opa_block_take(&pool);
	assert_non_null(block);
	block->id = 0xa000000000000001u;
	block->parent = OPA_NO_SPAN;
	block->start = 1;
	block->kind = OPA_KIND_INTERNAL;
	return 0;
}

static int take_named(void **state)
{
	return take(state) != 0 || !opa_block_begin(block, OPA_STR("name"));
}

static int give(void **state)
{
	(void)state;
	opa_block_give(&pool, block);
	opa_block_pool_deinit(&pool);
	return 0;
}

static bool set(opa_attributes wire)
{
	size_t len;
	long at = opa_block_find(block, wire.wire, wire.len, &len);
	return at < 0 ? opa_block_append(block, wire.wire, wire.len)
				  : opa_block_replace(block, (size_t)at, len, wire.wire, wire.len);
}

/* The block as a span, from memory of exactly the bound. */
static const wire_span *encoded(const opa_block_context *context)
{
	static wire_span span;
	static uint8_t kept[1 << 17];
	size_t bound = opa_block_bound(block, context), at = 0;
	uint8_t *exact = malloc(bound);
	opa_writer w = {exact + bound};
	opa_block_encode(block, context, block->start, NULL, 0, &w);
	assert_true(w.pos >= exact);
	size_t len = (size_t)(exact + bound - w.pos);
	assert_true(len <= sizeof(kept));
	memcpy(kept, w.pos, len);
	free(exact);
	assert_true(wire_next_span(kept, len, &at, &span));
	assert_int_equal(at, len);
	return &span;
}

static const opa_block_context plain = {.trace_id = {1}};

static void a_new_block_is_empty(void **state)
{
	(void)state;
	assert_int_equal(block->len, 0);
	assert_int_equal(block->attributes | block->events | block->links, 0);
	assert_null(block->message);
	assert_ptr_equal(block->data, block->inline_data);
	assert_int_equal(block->size, sizeof(*block));
}

static void a_recycled_block_is_empty_again(void **state)
{
	(void)state;
	opa_block *was = block;
	assert_true(opa_block_set_name(block, OPA_STR("name")));
	block->exception_count = 1;
	block->attributes = block->events = block->links = 1;
	block->dropped_attributes = block->dropped_events = block->dropped_links = 1;
	block->status = block->status_final = block->parent_remote = 1;
	block->frozen = block->has_children = 1;
	opa_block_give(&pool, block);
	block = opa_block_take(&pool);
	assert_ptr_equal(block, was);
	a_new_block_is_empty(state);
	assert_int_equal(block->exception_count, 0);
	assert_int_equal(block->dropped_attributes | block->dropped_events | block->dropped_links, 0);
	assert_int_equal(block->status | block->status_final | block->parent_remote, 0);
	assert_false(block->frozen || block->has_children);
}

/* A pool of large blocks would be memory that nobody has counted. */
static void a_recycled_block_has_no_memory_but_its_own(void **state)
{
	(void)state;
	char large[500];
	memset(large, 'x', sizeof(large));
	assert_true(opa_block_set_name(block, (opa_str){large, sizeof(large)}));
	assert_true(opa_block_set_message(block, OPA_STR("message")));
	opa_block_give(&pool, block);
	for (opa_block *free_one = pool.free; free_one != NULL; free_one = free_one->next) {
		assert_true(free_one->data == free_one->inline_data && free_one->message == NULL);
	}
	block = opa_block_take(&pool);
	a_new_block_is_empty(state);
}

static void a_pool_keeps_no_more_than_its_limit(void **state)
{
	(void)state;
	opa_block *blocks[10];
	for (int i = 0; i < 10; i++) {
		assert_non_null(blocks[i] = opa_block_take(&pool));
	}
	for (int i = 0; i < 10; i++) {
		opa_block_give(&pool, blocks[i]);
	}
	assert_int_equal(pool.count, 4);
}

static void a_name_of_any_length_stands_in_front_of_the_fields(void **state)
{
	(void)state;
	char name[3000];
	memset(name, 'n', sizeof(name));
	assert_true(set(tag("key", "value")));
	static const size_t lengths[] = {0, 1, 50, 103, 104, 105, 3000, 7, 0, 2000};
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		assert_true(opa_block_set_name(block, (opa_str){name, lengths[i]}));
		const wire_span *span = encoded(&plain);
		assert_int_equal(span->name.len, lengths[i]);
		assert_true(wire_is(wire_string(*wire_attribute(span, "key")), "value"));
	}
}

static void a_field_that_just_fits_stays_inline(void **state)
{
	(void)state;
	uint8_t fill[OPA_BLOCK_INLINE + 1] = {0};
	assert_int_equal(opa_block_growth(block, OPA_BLOCK_INLINE), 0);
	assert_true(opa_block_append(block, fill, OPA_BLOCK_INLINE));
	assert_ptr_equal(block->data, block->inline_data);
	assert_int_equal(opa_block_growth(block, 1), OPA_BLOCK_INLINE + 1);
	assert_true(opa_block_append(block, fill, 1));
	assert_ptr_not_equal(block->data, block->inline_data);
	block->len = 0;
}

static void growth_keeps_to_the_room_that_it_is_given(void **state)
{
	(void)state;
	uint64_t seed = 31;
	for (unsigned long i = scaled(2000, 100); i > 0 && block->len < 60000; i--) {
		uint8_t bytes[300] = {0};
		size_t more = random_below(&seed, sizeof(bytes));
		size_t growth = opa_block_growth(block, more), before = block->size;
		size_t room = growth + random_below(&seed, 3000);
		assert_true(opa_block_reserve(block, more, room));
		assert_true(block->size - before <= room);
		assert_true((growth == 0) == (block->size == before));
		assert_int_equal(opa_block_growth(block, more), 0);
		assert_true(opa_block_append(block, bytes, more));
	}
	block->len = 0;
}

static void growth_doubles_so_that_appending_is_cheap(void **state)
{
	(void)state;
	unsigned changes = 0;
	for (int i = 0; i < 100000; i++) {
		uint32_t before = block->capacity;
		assert_true(opa_block_append(block, "x", 1));
		changes += block->capacity != before;
	}
	assert_true(block->capacity < 2 * 104 * 1024);
	assert_true(changes < 15);
	block->len = 0;
}

static void find_wants_the_whole_key(void **state)
{
	(void)state;
	size_t len;
	static const char *const keys[] = {"", "k", "ke", "key", "key2", "Key", "xkey"};
	for (size_t i = 0; i < 7; i++) {
		assert_true(set(tag_int(keys[i], (int64_t)i)));
	}
	const wire_span *span = encoded(&plain);
	assert_int_equal(span->attribute_count, 7);
	for (size_t i = 0; i < 7; i++) {
		assert_true(wire_int(*wire_attribute(span, keys[i])) == (int64_t)i);
	}
	opa_attributes other = tag("keys", "");
	assert_int_equal(opa_block_find(block, other.wire, other.len, &len), -1);
}

/* A link, and an event, that begin as an attribute with this key would. */
static void find_looks_at_attributes_only(void **state)
{
	(void)state;
	size_t len;
	static const uint8_t link[] = {OPA_TAG_SPAN_LINK, 5, 0x0a, 3, 'k', 'e', 'y'};
	static const uint8_t event[] = {OPA_TAG_SPAN_EVENT, 5, 0x0a, 3, 'k', 'e', 'y'};
	assert_true(opa_block_append(block, link, sizeof(link)));
	assert_true(opa_block_append(block, event, sizeof(event)));
	opa_attributes wanted = tag("key", "x");
	assert_int_equal(opa_block_find(block, wanted.wire, wanted.len, &len), -1);
	assert_true(opa_block_append(block, wanted.wire, wanted.len));
	assert_int_equal(opa_block_find(block, wanted.wire, wanted.len, &len), sizeof(link) * 2);
	block->len = 0;
}

#define KEYS 24

static void random_overwrites_agree_with_a_reference(void **state)
{
	(void)state;
	static char texts[KEYS][200];
	bool there[KEYS] = {false};
	uint64_t seed = 32;
	for (unsigned long i = scaled(20000, 500); i > 0; i--) {
		unsigned key = (unsigned)random_below(&seed, KEYS);
		size_t len = random_below(&seed, sizeof(texts[0]));
		char name[16];
		snprintf(name, sizeof(name), "key%u", key);
		memset(texts[key], 'a' + (int)random_below(&seed, 26), len);
		texts[key][len] = '\0';
		there[key] = true;
		assert_true(set(tag(name, texts[key])));
		if (i % 50 != 0) {
			continue;
		}
		const wire_span *span = encoded(&plain);
		for (unsigned k = 0; k < KEYS; k++) {
			snprintf(name, sizeof(name), "key%u", k);
			const opa_str *any = wire_attribute(span, name);
			assert_true((any != NULL) == there[k]);
			assert_true(any == NULL || wire_is(wire_string(*any), texts[k]));
		}
	}
}

static void encoding_writes_every_field(void **state)
{
	(void)state;
	opa_block_context context = {.trace_id = {9, 8, 7}, .flags = 3, .state = OPA_STR("a=b,c=d")};
	block->parent = 0xb000000000000002u;
	block->parent_remote = true;
	block->kind = OPA_KIND_CONSUMER;
	block->start = 1700000000123456789u;
	block->status = OPA_STATUS_ERROR;
	block->dropped_attributes = 1;
	block->dropped_events = 300;
	block->dropped_links = UINT32_MAX;
	assert_true(opa_block_set_name(block, OPA_STR("name")));
	assert_true(opa_block_set_message(block, OPA_STR("it broke")));
	const wire_span *span = encoded(&context);
	assert_memory_equal(span->trace_id.data, context.trace_id, 16);
	assert_true(span->id == block->id && span->parent == block->parent);
	assert_true(wire_is(span->state, "a=b,c=d") && wire_is(span->name, "name"));
	assert_int_equal(span->flags, 0x303);
	assert_int_equal(span->kind, OPA_KIND_CONSUMER);
	assert_true(span->start == block->start && span->end == block->start);
	assert_int_equal(span->status, OPA_STATUS_ERROR);
	assert_true(wire_is(span->message, "it broke"));
	assert_int_equal(span->dropped_attributes, 1);
	assert_int_equal(span->dropped_events, 300);
	assert_int_equal(span->dropped_links, UINT32_MAX);
}

static void an_unset_status_and_a_missing_parent_are_not_written(void **state)
{
	(void)state;
	const wire_span *span = encoded(&plain);
	assert_int_equal(span->status, 0);
	assert_true(span->parent == OPA_NO_SPAN);
	assert_int_equal(span->state.len, 0);
	assert_int_equal(span->flags, 0x100);
}

/* `encoded` allocates exactly the bound. */
static void the_bound_holds_for_large_parts_everywhere(void **state)
{
	(void)state;
	static char large[40000];
	memset(large, 'l', sizeof(large));
	opa_block_context context = {.trace_id = {1}, .state = {large, 17000}};
	block->parent = 0xb000000000000002u;
	block->status = OPA_STATUS_ERROR;
	block->dropped_attributes = block->dropped_events = block->dropped_links = UINT32_MAX;
	assert_true(opa_block_set_name(block, (opa_str){large, 20000}));
	assert_true(opa_block_set_message(block, (opa_str){large, 40000}));
	assert_int_equal(encoded(&context)->message.len, 40000);
}

static void without_memory_a_block_stays_as_it_was(void **state)
{
	(void)state;
	char large[500];
	memset(large, 'x', sizeof(large));
	opa_str text = {large, sizeof(large)};
	assert_true(opa_block_set_name(block, OPA_STR("name")));
	assert_true(opa_block_set_message(block, OPA_STR("message")));
	assert_true(set(tag("key", "value")));
	opa_alloc_fail_after(0, true);
	assert_false(opa_block_set_name(block, text));
	assert_false(opa_block_set_message(block, text));
	assert_false(opa_block_append(block, large, sizeof(large)));
	assert_false(opa_block_reserve(block, 200, SIZE_MAX));
	opa_alloc_fail_after(-1, false);
	block->status = OPA_STATUS_ERROR;
	const wire_span *span = encoded(&plain);
	assert_true(wire_is(span->name, "name") && wire_is(span->message, "message"));
	assert_true(wire_is(wire_string(*wire_attribute(span, "key")), "value"));
}

static void what_is_too_large_for_a_block_is_refused(void **state)
{
	(void)state;
	assert_false(opa_block_reserve(block, (size_t)UINT32_MAX + 1, SIZE_MAX));
	assert_true(opa_block_append(block, "", 0));
}

static void attribute_len_refuses_what_does_not_fit(void **state)
{
	(void)state;
	opa_attributes one = tag("key", "value");
	uint8_t *copy = malloc(one.len);
	memcpy(copy, one.wire, one.len);
	assert_int_equal(opa_attribute_len(copy, one.len), one.len);
	for (size_t left = 0; left < one.len; left++) {
		uint8_t *exact = malloc(left + 1);
		memcpy(exact + 1, copy, left);
		assert_int_equal(opa_attribute_len(exact + 1, left), 0);
		free(exact);
	}
	free(copy);
	static const uint8_t endless[] = {0x4a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01};
	assert_int_equal(opa_attribute_len(endless, sizeof(endless)), 0);
}

/* An attribute without a key field is nothing that the writer makes; it must still do no harm. */
static void an_attribute_without_a_key_counts_as_one_with_an_empty_key(void **state)
{
	(void)state;
	size_t len = 0;
	static const uint8_t nothing[] = {0x4a, 0x00};
	assert_true(set(tag("", "value")));
	assert_int_equal(opa_block_find(block, nothing, sizeof(nothing), &len), 0);
	assert_int_equal(len, block->len);
}

int main(void)
{
#define TEST(f)  cmocka_unit_test_setup_teardown(f, take, give)
#define NAMED(f) cmocka_unit_test_setup_teardown(f, take_named, give)
	const struct CMUnitTest tests[] = {
		TEST(a_new_block_is_empty),
		TEST(a_recycled_block_is_empty_again),
		TEST(a_recycled_block_has_no_memory_but_its_own),
		TEST(a_pool_keeps_no_more_than_its_limit),
		TEST(a_name_of_any_length_stands_in_front_of_the_fields),
		TEST(a_field_that_just_fits_stays_inline),
		TEST(growth_keeps_to_the_room_that_it_is_given),
		TEST(growth_doubles_so_that_appending_is_cheap),
		NAMED(find_wants_the_whole_key),
		TEST(find_looks_at_attributes_only),
		NAMED(random_overwrites_agree_with_a_reference),
		TEST(encoding_writes_every_field),
		NAMED(an_unset_status_and_a_missing_parent_are_not_written),
		TEST(the_bound_holds_for_large_parts_everywhere),
		TEST(without_memory_a_block_stays_as_it_was),
		TEST(what_is_too_large_for_a_block_is_refused),
		TEST(attribute_len_refuses_what_does_not_fit),
		TEST(an_attribute_without_a_key_counts_as_one_with_an_empty_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
