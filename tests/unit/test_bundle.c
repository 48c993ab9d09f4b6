/* Records gathered for a collector: what the request has of them, whole and in parts. */
#include "support.h"

#include "core/opa_alloc.h"
#include "export/opa_bundle.h"
#include "otlp_build.h"

#include <zlib.h>

/* A record of spans, as a journal has it, of one resource of a few. */
typedef struct sample {
	build scope_spans;
	build resource;
	opa_bundle_item item;
} sample;

static void make_sample(sample *s, uint8_t number, uint64_t resource)
{
	build span = {0}, scope = {0};
	uint8_t id[16];
	memset(id, number + 1, sizeof(id));
	*s = (sample){0};
	build_bytes(&span, 1, id, 16);
	build_bytes(&span, 2, id, 8);
	build_text(&span, 5, "span");
	build_text(&scope, 1, "opa");
	build_message(&s->scope_spans, 1, &scope);
	build_message(&s->scope_spans, 2, &span);
	build_text_attribute(&s->resource, 1, "service.name", resource == 1 ? "one" : "another");
	s->item = (opa_bundle_item){.scope_spans = build_str(&s->scope_spans),
		.resource = build_str(&s->resource),
		.resource_id = resource,
		.spans = 1,
		.complete = number % 2 == 0,
		.journal = resource == 1 ? "a.1.j" : "b.1.j",
		.offset = 100u + number};
}

static void free_sample(sample *s)
{
	free(s->scope_spans.data);
	free(s->resource.data);
}

static opa_bundle *make_bundle(unsigned count)
{
	opa_bundle *bundle = opa_bundle_create();
	assert_non_null(bundle);
	for (unsigned i = 0; i < count; i++) {
		sample s;
		make_sample(&s, (uint8_t)i, 1 + i % 3);
		assert_true(opa_bundle_add(bundle, &s.item));
		free_sample(&s);
	}
	return bundle;
}

/* Reads a request: which of the samples are in it, as bits, and of how many resources. */
static uint64_t read_request(opa_str request, unsigned *resources)
{
	opa_wire_reader outer, middle = {0}, inner = {0}, deep;
	opa_wire_field rs, ss, span, field;
	uint64_t found = 0;
	*resources = 0;
	opa_wire_init(&outer, request);
	while (opa_wire_next(&outer, &rs)) {
		assert_int_equal(rs.number, 1);
		(*resources)++;
		opa_wire_init(&middle, rs.bytes);
		for (bool first = true; opa_wire_next(&middle, &ss); first = false) {
			assert_int_equal(ss.number, first ? 1 : 2);
			opa_wire_init(&inner, ss.bytes);
			while (!first && opa_wire_next(&inner, &span)) {
				opa_wire_init(&deep, span.bytes);
				if (span.number == 2 && opa_wire_next(&deep, &field)) {
					uint64_t bit = (uint64_t)1 << ((uint8_t)field.bytes.data[0] - 1);
					assert_true((found & bit) == 0);
					found |= bit;
				}
			}
		}
	}
	assert_false(outer.damaged || middle.damaged || inner.damaged);
	return found;
}

static void a_request_has_each_resource_once_with_its_records(void **state)
{
	(void)state;
	unsigned resources;
	opa_text request = {0};
	opa_bundle *bundle = make_bundle(60);
	assert_int_equal(opa_bundle_count(bundle), 60);
	assert_int_equal(opa_bundle_spans(bundle, 0, 60), 60);
	assert_int_equal(opa_bundle_traces(bundle, 0, 60), 30);
	assert_true(opa_bundle_write(bundle, 0, 60, 0, &request));
	assert_int_equal(request.len, opa_bundle_request_size(bundle, 0, 60));
	assert_true(request.len <= opa_bundle_size(bundle));
	assert_true(
		read_request((opa_str){request.data, request.len}, &resources) == ((uint64_t)1 << 60) - 1);
	assert_int_equal(resources, 3);
	opa_text_deinit(&request);
	opa_bundle_destroy(bundle);
}

static void a_part_has_its_records_alone(void **state)
{
	(void)state;
	enum { COUNT = 17 };
	opa_text request = {0};
	opa_bundle *bundle = make_bundle(COUNT);
	for (unsigned from = 0; from <= COUNT; from++) {
		for (unsigned to = from; to <= COUNT; to++) {
			unsigned resources;
			uint64_t expected = (((uint64_t)1 << to) - 1) & ~(((uint64_t)1 << from) - 1);
			assert_true(opa_bundle_write(bundle, from, to, 0, &request));
			assert_int_equal(request.len, opa_bundle_request_size(bundle, from, to));
			assert_true(read_request((opa_str){request.data, request.len}, &resources) == expected);
			assert_int_equal(resources, to - from < 3 ? to - from : 3);
			assert_int_equal(opa_bundle_spans(bundle, from, to), to - from);
		}
	}
	opa_text_deinit(&request);
	opa_bundle_destroy(bundle);
}

static void a_record_remembers_where_it_came_from(void **state)
{
	(void)state;
	opa_bundle *bundle = make_bundle(10);
	for (unsigned i = 0; i < 10; i++) {
		uint64_t offset;
		assert_string_equal(opa_bundle_journal(bundle, i, &offset), i % 3 == 0 ? "a.1.j" : "b.1.j");
		assert_int_equal(offset, 100 + i);
	}
	opa_bundle_reset(bundle);
	assert_int_equal(opa_bundle_count(bundle), 0);
	assert_int_equal(opa_bundle_size(bundle), 0);
	opa_bundle_destroy(bundle);
	opa_bundle_destroy(NULL);
}

static void packed_it_is_the_same(void **state)
{
	(void)state;
	opa_text plain = {0}, packed = {0};
	static char unpacked[1 << 20];
	opa_bundle *bundle = make_bundle(60);
	assert_true(opa_bundle_write(bundle, 0, 60, 0, &plain));
	for (int level = 1; level <= 9; level += 4) {
		assert_true(opa_bundle_write(bundle, 0, 60, level, &packed));
		z_stream z = {.next_in = (Bytef *)packed.data,
			.avail_in = (uInt)packed.len,
			.next_out = (Bytef *)unpacked,
			.avail_out = sizeof(unpacked)};
		assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
		assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
		assert_int_equal(z.total_out, plain.len);
		assert_memory_equal(unpacked, plain.data, plain.len);
		assert_true(packed.len < plain.len / 2);
		inflateEnd(&z);
	}
	opa_text_deinit(&plain);
	opa_text_deinit(&packed);
	opa_bundle_destroy(bundle);
}

/* Whatever fails, what was added before is still there, and the next attempt is as the first. */
static void memory_that_is_short_leaves_it_as_it_was(void **state)
{
	(void)state;
	for (long n = 0, done = 0; !done; n++) {
		unsigned resources, added = 0;
		opa_text request = {0};
		opa_bundle *bundle = opa_bundle_create();
		opa_alloc_fail_after(n, false);
		done = 1;
		for (unsigned i = 0; i < 60; i++) {
			sample s;
			make_sample(&s, (uint8_t)i, 1 + i % 3);
			bool ok = opa_bundle_add(bundle, &s.item);
			done = done && ok;
			assert_int_equal(opa_bundle_count(bundle), added + ok);
			assert_true(ok || opa_bundle_add(bundle, &s.item));
			added++;
			free_sample(&s);
		}
		for (int level = 0; level < 2; level++) {
			bool ok = opa_bundle_write(bundle, 0, 60, level, &request);
			done = done && ok;
			assert_true(ok || opa_bundle_write(bundle, 0, 60, level, &request));
		}
		opa_alloc_fail_after(-1, false);
		assert_true(opa_bundle_write(bundle, 0, 60, 0, &request));
		assert_true(read_request((opa_str){request.data, request.len}, &resources) ==
					((uint64_t)1 << 60) - 1);
		assert_int_equal(resources, 3);
		assert_int_equal(request.len, opa_bundle_request_size(bundle, 0, 60));
		opa_text_deinit(&request);
		opa_bundle_destroy(bundle);
	}
	opa_alloc_fail_after(0, true);
	assert_null(opa_bundle_create());
	opa_alloc_fail_after(-1, false);
}

/* Records without spans, without a resource, and larger than everything else. */
static void records_may_be_of_any_size(void **state)
{
	(void)state;
	opa_text request = {0};
	size_t size = 3u << 20;
	char *large = calloc(1, size);
	opa_bundle *bundle = opa_bundle_create();
	const opa_bundle_item items[] = {{.scope_spans = {"", 0}, .resource = {"", 0}, .journal = "a"},
		{.scope_spans = {large, size}, .resource = {large, 300}, .resource_id = 7, .journal = "a"},
		{.scope_spans = {large, 127}, .resource = {"", 0}, .journal = "b"},
		{.scope_spans = {large, 128}, .resource = {large, 300}, .resource_id = 7, .journal = "b"}};
	for (size_t i = 0; i < 4; i++) {
		assert_true(opa_bundle_add(bundle, &items[i]));
	}
	for (int level = 0; level < 2; level++) {
		assert_true(opa_bundle_write(bundle, 0, 4, level, &request));
		assert_true(level > 0 || request.len == opa_bundle_request_size(bundle, 0, 4));
	}
	assert_true(opa_bundle_size(bundle) >= opa_bundle_request_size(bundle, 0, 4));
	opa_bundle_reset(bundle);
	assert_true(opa_bundle_add(bundle, &items[2]));
	assert_true(opa_bundle_write(bundle, 0, 1, 0, &request));
	assert_int_equal(request.len, opa_bundle_request_size(bundle, 0, 1));
	opa_text_deinit(&request);
	opa_bundle_destroy(bundle);
	free(large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_has_each_resource_once_with_its_records),
		cmocka_unit_test(a_part_has_its_records_alone),
		cmocka_unit_test(a_record_remembers_where_it_came_from),
		cmocka_unit_test(packed_it_is_the_same),
		cmocka_unit_test(memory_that_is_short_leaves_it_as_it_was),
		cmocka_unit_test(records_may_be_of_any_size),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
