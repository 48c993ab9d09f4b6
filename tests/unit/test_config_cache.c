/* However many different settings a process meets: each request has its own, memory has a bound. */
#include "config_fixture.h"
#include "opa_config_cache.h"
#include "core/opa_crc32c.h"

#include <pthread.h>
#include <unistd.h>

#define VHOSTS 1000

/* What a request of that virtual host comes with. Texts live in `name`. */
typedef struct vhost {
	opa_config_input input;
	char name[32];
} vhost;

static void enter(vhost *v, const config_fixture *f, unsigned number)
{
	v->input = f->input;
	v->input.identity = NULL;
	snprintf(v->name, sizeof(v->name), "vhost %u", number);
	v->input.ini[OPA_SETTING_SERVICE_NAME] = str(v->name);
	v->input.given[OPA_SETTING_SERVICE_NAME] = true;
}

static opa_config *get(
	opa_config_cache *cache, const config_fixture *f, unsigned number, opa_config *last, bool *made)
{
	vhost v;
	bool unused;
	enter(&v, f, number);
	return opa_config_cache_get(cache, &v.input, last, made == NULL ? &unused : made);
}

static bool is_of(const opa_config *config, unsigned number)
{
	char name[32];
	snprintf(name, sizeof(name), "vhost %u", number);
	return strcmp(config->texts[OPA_SETTING_SERVICE_NAME], name) == 0;
}

static void each_of_a_thousand_has_its_own(void **state)
{
	config_fixture *f = *state;
	opa_config_cache *cache = opa_config_cache_create();
	for (int round = 0; round < 2; round++) {
		for (unsigned i = 0; i < VHOSTS; i++) {
			opa_config *config = get(cache, f, i, NULL, NULL);
			assert_non_null(config);
			assert_true(is_of(config, i));
			opa_config_release(config);
		}
	}
	opa_config_cache_destroy(cache);
}

static void what_was_made_is_found_again(void **state)
{
	config_fixture *f = *state;
	bool made;
	opa_config_cache *cache = opa_config_cache_create();
	opa_config *first = get(cache, f, 1, NULL, &made);
	assert_true(made);
	opa_config *other = get(cache, f, 2, NULL, &made);
	assert_true(made);
	assert_ptr_equal(get(cache, f, 1, NULL, &made), first);
	assert_false(made);
	opa_config_release(first);
	opa_config_release(first);
	opa_config_release(other);
	opa_config_cache_destroy(cache);
}

/* The answer is the one that the caller holds: not held twice, or it would never go. */
static void where_nothing_has_changed_the_last_one_is_the_answer(void **state)
{
	config_fixture *f = *state;
	bool made;
	opa_config_cache *cache = opa_config_cache_create();
	opa_config *last = get(cache, f, 1, NULL, NULL);
	unsigned holders = atomic_load(&last->holders);
	assert_ptr_equal(get(cache, f, 1, last, &made), last);
	assert_false(made);
	assert_int_equal(atomic_load(&last->holders), holders);
	opa_config *next = get(cache, f, 2, last, &made);
	assert_true(made);
	assert_ptr_not_equal(next, last);
	opa_config_release(last);
	opa_config_release(next);
	opa_config_cache_destroy(cache);
}

static void those_that_were_asked_for_last_are_kept(void **state)
{
	config_fixture *f = *state;
	bool made;
	opa_config_cache *cache = opa_config_cache_create();
	for (unsigned i = 0; i < OPA_CONFIG_CACHE_SIZE; i++) {
		opa_config_release(get(cache, f, i, NULL, NULL));
	}
	opa_config_release(get(cache, f, 0, NULL, &made));
	assert_false(made);
	opa_config_release(get(cache, f, VHOSTS, NULL, &made)); /* in the place of number 1 */
	assert_true(made);
	opa_config_release(get(cache, f, 0, NULL, &made));
	assert_false(made);
	opa_config_release(get(cache, f, 2, NULL, &made));
	assert_false(made);
	opa_config_release(get(cache, f, 1, NULL, &made));
	assert_true(made);
	opa_config_cache_destroy(cache);
}

/* A trace that goes on while others come and go, even beyond the cache's own end. */
static void one_that_is_held_stays(void **state)
{
	config_fixture *f = *state;
	opa_config_cache *cache = opa_config_cache_create();
	opa_config *held = get(cache, f, VHOSTS, NULL, NULL);
	for (unsigned i = 0; i < VHOSTS; i++) {
		opa_config_release(get(cache, f, i, NULL, NULL));
	}
	assert_true(is_of(held, VHOSTS));
	assert_int_equal(atomic_load(&held->holders), 1);
	opa_config_cache_destroy(cache);
	assert_true(is_of(held, VHOSTS));
	assert_int_equal(held->limits.attributes, 128);
	opa_config_release(held);
}

static void memory_has_a_bound(void **state)
{
	config_fixture *f = *state;
	opa_config_cache *cache = opa_config_cache_create();
	unsigned number = 0;
	for (; number < 2 * OPA_CONFIG_CACHE_SIZE; number++) {
		opa_config_release(get(cache, f, number, NULL, NULL));
	}
	size_t before = resident_memory();
	for (unsigned end = number + (unsigned)scaled(20000, 100); number < end; number++) {
		opa_config_release(get(cache, f, number, NULL, NULL));
	}
	assert_true(resident_memory() <= before + 1024 * 1024);
	opa_config_cache_destroy(cache);
}

/* Of two that differ in one value or in who gave it, none is taken for the other. */
static void any_value_makes_a_difference(void **state)
{
	config_fixture *f = *state;
	bool made;
	opa_config_cache *cache = opa_config_cache_create();
	opa_config *plain = opa_config_cache_get(cache, &f->input, NULL, &made);
	for (opa_setting setting = 0; setting < OPA_SETTING_COUNT; setting++) {
		opa_config_input input = f->input;
		input.given[setting] = true;
		opa_config *given = opa_config_cache_get(cache, &input, plain, &made);
		assert_true(made);
		assert_ptr_not_equal(given, plain);
		opa_config_release(given);
	}
	opa_config_release(plain);
	opa_config_cache_destroy(cache);
}

/* A hash finds them, and these two names have the same. */
static void two_with_the_same_hash_are_told_apart(void **state)
{
	config_fixture *f = *state;
	static const char *const names[] = {"shop1371838", "shop2000402"};
	bool made;
	assert_int_equal(opa_crc32c(0, names[0], 11), opa_crc32c(0, names[1], 11));
	opa_config_cache *cache = opa_config_cache_create();
	for (int i = 0; i < 4; i++) {
		f->input.ini[OPA_SETTING_SERVICE_NAME] = str(names[i % 2]);
		opa_config *config = opa_config_cache_get(cache, &f->input, NULL, &made);
		assert_int_equal(made, i < 2);
		assert_string_equal(config->texts[OPA_SETTING_SERVICE_NAME], names[i % 2]);
		opa_config_release(config);
	}
	opa_config_cache_destroy(cache);
}

/* One service.instance.id for each process, whatever its configs say else. */
static void all_configs_of_a_process_have_its_identity(void **state)
{
	config_fixture *f = *state;
	opa_config_cache *cache = opa_config_cache_create();
	vhost v;
	bool made;
	enter(&v, f, 0);
	v.input.ini[OPA_SETTING_RESOURCE_ATTRIBUTES] = OPA_STR("a=1");
	opa_config *one = opa_config_cache_get(cache, &v.input, NULL, &made);
	v.input.ini[OPA_SETTING_RESOURCE_ATTRIBUTES] = OPA_STR("a=2");
	opa_config *two = opa_config_cache_get(cache, &v.input, NULL, &made);
	assert_int_equal(one->resource_len, two->resource_len);
	unsigned different = 0;
	for (size_t i = 0; i < one->resource_len; i++) {
		different += one->resource[i] != two->resource[i];
	}
	assert_int_equal(different, 1);
	opa_config_release(one);
	opa_config_release(two);
	opa_config_cache_destroy(cache);
}

/* ---- what was said ---- */

/* Configs come and go; a line in the log is not written again for that. */
static void a_line_is_news_once_in_a_process(void **state)
{
	(void)state;
	opa_config_cache *cache = opa_config_cache_create();
	assert_true(opa_config_cache_is_news(cache, OPA_STR("one")));
	assert_true(opa_config_cache_is_news(cache, OPA_STR("another")));
	assert_false(opa_config_cache_is_news(cache, OPA_STR("one")));
	assert_false(opa_config_cache_is_news(cache, OPA_STR("another")));
	/* What the parent has said its child need not repeat. */
	opa_config_cache_fork_prepare(cache);
	opa_config_cache_fork_child(cache);
	assert_false(opa_config_cache_is_news(cache, OPA_STR("one")));
	assert_true(opa_config_cache_is_news(cache, OPA_STR("a third")));
	opa_config_cache_destroy(cache);
}

static void the_number_of_lines_has_a_bound(void **state)
{
	(void)state;
	char line[32];
	unsigned news = 0;
	opa_config_cache *cache = opa_config_cache_create();
	for (unsigned i = 0; i < 2 * VHOSTS; i++) {
		snprintf(line, sizeof(line), "line %u", i % VHOSTS);
		news += opa_config_cache_is_news(cache, str(line));
	}
	assert_int_equal(news, OPA_CONFIG_CACHE_LINES);
	opa_config_cache_destroy(cache);
}

/* ---- memory that is short ---- */

/* ASan would name a leak, and a config that was freed too early. */
static void without_memory_there_is_none_and_the_next_try_succeeds(void **state)
{
	config_fixture *f = *state;
	opa_alloc_fail_after(0, false);
	assert_null(opa_config_cache_create());
	opa_alloc_fail_after(-1, false);
	opa_config_cache *cache = opa_config_cache_create();
	opa_config *last = get(cache, f, 0, NULL, NULL);
	opa_alloc_fail_after(-1, false);
	opa_config_release(get(cache, f, 1, NULL, NULL));
	unsigned long asked = opa_alloc_fail_after(-1, false);
	for (unsigned long n = 0; n < asked; n++) {
		bool made;
		opa_alloc_fail_after((long)n, false);
		opa_config *config = get(cache, f, 2, last, &made);
		opa_alloc_fail_after(-1, false);
		assert_null(config);
		assert_false(made);
		assert_true(is_of(last, 0));
	}
	bool made;
	opa_config *config = get(cache, f, 2, last, &made);
	assert_true(made && is_of(config, 2));
	opa_config_release(config);
	opa_config_release(last);
	opa_config_cache_destroy(cache);
	opa_config_cache_destroy(NULL);
}

/* ---- fork ---- */

static void in_child(opa_config_cache *cache, const config_fixture *f, opa_config *last)
{
	bool made;
	uint64_t id = last->resource_id;
	opa_config_cache_fork_child(cache);
	/* The trace that goes on tells the child's pid ... */
	CHECK(opa_config_cache_renew(cache, last, &f->input));
	CHECK(last->resource_id != id);
	id = last->resource_id;
	/* ... and a request of the child's has nothing of the parent's, not even the last one. */
	opa_config *next = get(cache, f, 1, last, &made);
	CHECK(made && next != last && is_of(next, 1) && is_of(last, 1));
	opa_config *other = get(cache, f, 2, next, &made);
	CHECK(made);
	CHECK(next->resource_id == id); /* the same values, the same process */
	opa_config_release(last);
	opa_config_release(next);
	opa_config_release(other);
	opa_config_cache_destroy(cache);
}

static void a_forked_child_has_configs_of_its_own(void **state)
{
	config_fixture *f = *state;
	bool made;
	opa_config_cache *cache = opa_config_cache_create();
	opa_config *last = get(cache, f, 1, NULL, NULL);
	opa_config_release(get(cache, f, 2, NULL, NULL));
	opa_config_cache_fork_prepare(cache);
	int pid = fork();
	if (pid == 0) {
		in_child(cache, f, last);
		_exit(0);
	}
	opa_config_cache_fork_parent(cache);
	assert_int_equal(wait_child(pid), 0);
	assert_ptr_equal(get(cache, f, 1, last, &made), last);
	assert_false(made);
	opa_config_release(last);
	opa_config_cache_destroy(cache);
}

/* ---- threads ---- */

#define THREADS 8

typedef struct worker {
	pthread_t thread;
	opa_config_cache *cache;
	const config_fixture *f;
	uint64_t seed;
	unsigned long rounds;
} worker;

/* Requests of virtual hosts in turn, two at a time as a thread of PHP holds them in passing. */
static void *serve(void *user)
{
	worker *w = user;
	opa_config *last = NULL;
	for (unsigned long i = 0; i < w->rounds; i++) {
		/* Mostly few, so that threads meet; else many, so that the cache is full. */
		unsigned number = (unsigned)random_below(&w->seed, i % 4 == 0 ? VHOSTS : 8);
		opa_config *config = get(w->cache, w->f, number, last, NULL);
		CHECK(config != NULL && is_of(config, number));
		if (config != last) {
			opa_config_release(last);
		}
		last = config;
	}
	CHECK(last->resource_len > 0);
	opa_config_release(last);
	return NULL;
}

static void threads_share_them(void **state)
{
	config_fixture *f = *state;
	worker workers[THREADS];
	opa_config_cache *cache = opa_config_cache_create();
	for (unsigned i = 0; i < THREADS; i++) {
		workers[i] = (worker){.cache = cache, .f = f, .seed = i + 1, .rounds = scaled(20000, 200)};
		assert_int_equal(pthread_create(&workers[i].thread, NULL, serve, &workers[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
	}
	opa_config_cache_destroy(cache);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, config_setup, config_teardown)
	const struct CMUnitTest tests[] = {
		TEST(each_of_a_thousand_has_its_own),
		TEST(what_was_made_is_found_again),
		TEST(where_nothing_has_changed_the_last_one_is_the_answer),
		TEST(those_that_were_asked_for_last_are_kept),
		TEST(one_that_is_held_stays),
		TEST(memory_has_a_bound),
		TEST(any_value_makes_a_difference),
		TEST(two_with_the_same_hash_are_told_apart),
		TEST(all_configs_of_a_process_have_its_identity),
		TEST(a_line_is_news_once_in_a_process),
		TEST(the_number_of_lines_has_a_bound),
		TEST(without_memory_there_is_none_and_the_next_try_succeeds),
		TEST(a_forked_child_has_configs_of_its_own),
		TEST(threads_share_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
