/*
 * oom_after(int $n): void, for tests: the n-th allocation of PHP's from then on ends the request as
 * the memory limit does; 0: none does. To be run with USE_ZEND_ALLOC=0.
 *
 * What PHP has allocated stands in a table, so that LeakSanitizer finds what others have lost, and
 * not what the engine leaves to its memory manager when a request ends so.
 */
#include <php.h>

#include <stdint.h>
#include <stdlib.h>

#define PLACES (1u << 18)

static void *known[PLACES];
static zend_long left;

static size_t place_of(const void *block)
{
	size_t place = ((uintptr_t)block >> 4) * 0x9e3779b97f4a7c15u >> 46;
	while (known[place] != NULL && known[place] != block) {
		place = (place + 1) % PLACES;
	}
	return place;
}

static void remember(void *block)
{
	if (block != NULL) {
		known[place_of(block)] = block;
	}
}

/* Blocks that stood behind it because its place was taken move up. */
static void forget(void *block)
{
	size_t place = place_of(block);
	known[place] = NULL;
	for (place = (place + 1) % PLACES; known[place] != NULL; place = (place + 1) % PLACES) {
		void *other = known[place];
		known[place] = NULL;
		remember(other);
	}
}

static void count(void)
{
	if (left > 0 && --left == 0) {
		zend_error_noreturn(E_ERROR, "The test's allocation has failed");
	}
}

static void *allocate(size_t size)
{
	count();
	void *block = malloc(size);
	remember(block);
	return block;
}

static void release(void *block)
{
	if (block != NULL) {
		forget(block);
		free(block);
	}
}

static void *resize(void *block, size_t size)
{
	count();
	if (block != NULL) {
		forget(block);
	}
	block = realloc(block, size);
	remember(block);
	return block;
}

ZEND_BEGIN_ARG_INFO_EX(oom_after_arguments, 0, 0, 1)
ZEND_ARG_TYPE_INFO(0, n, IS_LONG, 0)
ZEND_END_ARG_INFO()

static ZEND_FUNCTION(oom_after)
{
	ZEND_PARSE_PARAMETERS_START(1, 1)
		Z_PARAM_LONG(left)
	ZEND_PARSE_PARAMETERS_END();
}

static const zend_function_entry functions[] = {
	ZEND_FE(oom_after, oom_after_arguments) ZEND_FE_END};

static PHP_MINIT_FUNCTION(oom)
{
	zend_mm_set_custom_handlers(zend_mm_get_heap(), allocate, release, resize);
	return SUCCESS;
}

static zend_module_entry module = {STANDARD_MODULE_HEADER, "oom", functions, PHP_MINIT(oom), NULL,
	NULL, NULL, NULL, "1", STANDARD_MODULE_PROPERTIES};

#ifdef ZTS
ZEND_TSRMLS_CACHE_DEFINE()
#endif
ZEND_DLEXPORT zend_module_entry *get_module(void)
{
	return &module;
}
