/* The mutex, alone and with others. */
#include "support.h"
#include "core/opa_mutex.h"

#include <pthread.h>
#include <string.h>

#define THREADS 4
#define ROUNDS  20000

struct shared {
	opa_mutex mutex;
	unsigned long counter; /* plain: only the mutex makes it right */
};

static void *count_up(void *arg)
{
	struct shared *shared = arg;
	for (int i = 0; i < ROUNDS; i++) {
		opa_mutex_lock(&shared->mutex);
		shared->counter++;
		opa_mutex_unlock(&shared->mutex);
	}
	return NULL;
}

static void count_up_by_many(struct shared *shared)
{
	pthread_t threads[THREADS];
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, count_up, shared), 0);
	}
	count_up(shared);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	}
}

static void threads_take_turns(void **state)
{
	(void)state;
	struct shared shared = {.counter = 0};
	assert_true(opa_mutex_init(&shared.mutex));
	count_up(&shared);
	count_up_by_many(&shared);
	count_up(&shared);
	assert_int_equal(shared.counter, (THREADS + 3) * ROUNDS);
	opa_mutex_deinit(&shared.mutex);
}

static void *do_nothing(void *arg)
{
	return arg;
}

/* The kind of taking is noted in the mutex: what happens meanwhile does not change it. */
static void a_mutex_is_given_back_as_it_was_taken(void **state)
{
	(void)state;
	struct shared shared = {.counter = 0};
	pthread_t thread;
	assert_true(opa_mutex_init(&shared.mutex));
	opa_mutex_lock(&shared.mutex);
	bool alone = shared.mutex.alone;
	assert_int_equal(pthread_create(&thread, NULL, do_nothing, NULL), 0);
	assert_int_equal(shared.mutex.alone, alone);
	opa_mutex_unlock(&shared.mutex);
	assert_false(shared.mutex.alone);
	opa_mutex_lock(&shared.mutex);
	alone = shared.mutex.alone;
	pthread_join(thread, NULL);
	assert_int_equal(shared.mutex.alone, alone);
	opa_mutex_unlock(&shared.mutex);
	count_up_by_many(&shared);
	assert_int_equal(shared.counter, (THREADS + 1) * ROUNDS);
	opa_mutex_deinit(&shared.mutex);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mutex_is_given_back_as_it_was_taken),
		cmocka_unit_test(threads_take_turns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
