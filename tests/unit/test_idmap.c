/* The table of ids against the plainest one that there is. */
#include "support.h"
#include "core/opa_alloc.h"
#include "core/opa_idmap.h"

/* Ids of which many have the same home, so that they stand in long runs; never zero. */
static opa_span_id crowded_id(uint64_t *seed)
{
	uint64_t home = random_below(seed, 8) == 0 ? 0xffffffffffffu : random_below(seed, 6);
	return (opa_span_id)0xa << 60 | home << 8 | random_below(seed, 64);
}

static void put(opa_idmap *map, opa_span_id id, void *value)
{
	assert_true(opa_idmap_reserve(map));
	assert_true(opa_idmap_insert(map, id, value));
}

static void an_empty_map_answers_null(void **state)
{
	(void)state;
	opa_idmap map;
	opa_idmap_init(&map);
	assert_null(opa_idmap_get(&map, 0xa000000000000001u));
	assert_null(opa_idmap_remove(&map, 0xa000000000000001u));
	opa_idmap_trim(&map);
	opa_idmap_deinit(&map);
}

static void zero_is_never_found(void **state)
{
	(void)state;
	opa_idmap map;
	opa_idmap_init(&map);
	put(&map, 0xa000000000000001u, &map);
	assert_null(opa_idmap_get(&map, OPA_NO_SPAN));
	assert_null(opa_idmap_remove(&map, OPA_NO_SPAN));
	assert_int_equal(map.count, 1);
	opa_idmap_deinit(&map);
}

static void an_id_is_inserted_once(void **state)
{
	(void)state;
	int other;
	opa_idmap map;
	opa_idmap_init(&map);
	for (opa_span_id id = 0xa000000000000100u; id < 0xa000000000001000u; id += 256) {
		put(&map, id, &map);
		assert_true(opa_idmap_reserve(&map));
		assert_false(opa_idmap_insert(&map, id, &other));
		assert_ptr_equal(opa_idmap_get(&map, id), &map);
	}
	assert_int_equal(map.count, 15);
	opa_idmap_deinit(&map);
}

#define REFERENCE 8192

/* id -> value, looked through from the first to the last. */
struct reference {
	opa_span_id ids[REFERENCE];
	void *values[REFERENCE];
	size_t count;
};

static size_t reference_find(const struct reference *r, opa_span_id id)
{
	size_t i = 0;
	while (i < r->count && r->ids[i] != id) {
		i++;
	}
	return i;
}

static void random_step(opa_idmap *map, struct reference *r, uint64_t *seed, size_t most)
{
	opa_span_id id = crowded_id(seed);
	size_t at = reference_find(r, id);
	bool there = at < r->count;
	assert_ptr_equal(opa_idmap_get(map, id), there ? r->values[at] : NULL);
	if (!there && r->count < most) {
		void *value = (void *)(uintptr_t)(random_next(seed) | 1);
		put(map, id, value);
		r->ids[r->count] = id;
		r->values[r->count++] = value;
	} else {
		assert_ptr_equal(opa_idmap_remove(map, id), there ? r->values[at] : NULL);
		if (there) {
			r->count--;
			r->ids[at] = r->ids[r->count];
			r->values[at] = r->values[r->count];
		}
	}
	assert_int_equal(map->count, r->count);
}

static void random_steps_agree_with_a_reference(void **state)
{
	(void)state;
	static struct reference r;
	uint64_t seed = 7;
	for (size_t most = 8; most <= 384; most *= 2) {
		opa_idmap map;
		opa_idmap_init(&map);
		r.count = 0;
		for (unsigned long i = scaled(300000, 5000); i > 0; i--) {
			random_step(&map, &r, &seed, most);
		}
		for (size_t i = 0; i < r.count; i++) {
			assert_ptr_equal(opa_idmap_get(&map, r.ids[i]), r.values[i]);
		}
		opa_idmap_deinit(&map);
	}
}

static void it_is_never_more_than_half_full(void **state)
{
	(void)state;
	opa_idmap map;
	opa_rng rng = {.seeded = false};
	opa_idmap_init(&map);
	for (int i = 0; i < 10000; i++) {
		put(&map, opa_span_id_make(&rng, 0, 6), &map);
		assert_true(map.count * 2 <= map.mask + 1);
	}
	opa_idmap_deinit(&map);
}

static unsigned long longest_run(const opa_idmap *map)
{
	unsigned long run = 0, longest = 0;
	for (size_t i = 0; i <= map->mask; i++) {
		run = map->slots[i].id != OPA_NO_SPAN ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	return longest;
}

static void lookups_stay_short_after_a_million_removals(void **state)
{
	(void)state;
	enum { LIVE = 1000 };
	static opa_span_id live[LIVE];
	opa_idmap map;
	opa_rng rng = {.seeded = false};
	opa_idmap_init(&map);
	for (int i = 0; i < LIVE; i++) {
		put(&map, live[i] = opa_span_id_make(&rng, 3, 6), &map);
	}
	size_t size = map.mask;
	for (unsigned long i = scaled(1000000, 10000); i > 0; i--) {
		opa_span_id *id = &live[i % LIVE];
		assert_ptr_equal(opa_idmap_remove(&map, *id), &map);
		put(&map, *id = opa_span_id_make(&rng, 3, 6), &map);
	}
	assert_int_equal(map.mask, size);
	assert_int_equal(map.count, LIVE);
	assert_true(longest_run(&map) < 100);
	opa_idmap_deinit(&map);
}

static void a_failed_reserve_leaves_the_map_as_it_was(void **state)
{
	(void)state;
	opa_idmap map;
	opa_idmap_init(&map);
	opa_alloc_fail_after(0, false);
	assert_false(opa_idmap_reserve(&map));
	assert_null(opa_idmap_get(&map, 0xa000000000000100u));
	uint64_t id = 0xa000000000000100u;
	while (map.count == 0 || map.count < map.most) {
		id += 256;
		put(&map, id, (void *)(uintptr_t)id);
	}
	size_t count = map.count, mask = map.mask;
	opa_alloc_fail_after(0, false);
	assert_false(opa_idmap_reserve(&map));
	assert_int_equal(map.count, count);
	assert_int_equal(map.mask, mask);
	for (; id > 0xa000000000000100u; id -= 256) {
		assert_ptr_equal(opa_idmap_get(&map, id), (void *)(uintptr_t)id);
	}
	opa_idmap_deinit(&map);
}

static void trim_gives_memory_back_only_when_empty_and_large(void **state)
{
	(void)state;
	opa_idmap map;
	opa_rng rng = {.seeded = false};
	static opa_span_id ids[10000];
	opa_idmap_init(&map);
	put(&map, 0xa000000000000100u, &map);
	opa_idmap_remove(&map, 0xa000000000000100u);
	opa_idmap_trim(&map);
	assert_int_not_equal(map.most, 0);
	for (int i = 0; i < 10000; i++) {
		put(&map, ids[i] = opa_span_id_make(&rng, 0, 0), &map);
	}
	for (int i = 0; i < 10000; i++) {
		opa_idmap_trim(&map);
		assert_int_not_equal(map.most, 0);
		opa_idmap_remove(&map, ids[i]);
	}
	opa_idmap_trim(&map);
	assert_int_equal(map.most, 0);
	put(&map, 0xa000000000000100u, &map);
	assert_ptr_equal(opa_idmap_get(&map, 0xa000000000000100u), &map);
	opa_idmap_deinit(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_map_answers_null),
		cmocka_unit_test(an_id_is_inserted_once),
		cmocka_unit_test(zero_is_never_found),
		cmocka_unit_test(random_steps_agree_with_a_reference),
		cmocka_unit_test(it_is_never_more_than_half_full),
		cmocka_unit_test(lookups_stay_short_after_a_million_removals),
		cmocka_unit_test(a_failed_reserve_leaves_the_map_as_it_was),
		cmocka_unit_test(trim_gives_memory_back_only_when_empty_and_large),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
