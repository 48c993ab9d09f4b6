/*
 * A threaded server in small: an extension for a thread-safe PHP on the command line, which the
 * tests build for themselves (threads.inc). opa_test_threads() starts threads that serve requests
 * one after the other, each with INI values of its own as a web server's virtual hosts have them,
 * and that end.
 */
#include "php.h"
#include "php_main.h"
#include "SAPI.h"
#include "zend_exceptions.h"

#include <malloc.h>
#include <pthread.h>

#define MOST_THREADS 64

ZEND_TSRMLS_CACHE_DEFINE()

typedef struct server {
	pthread_t thread;
	unsigned number;
	unsigned requests;
	unsigned served;
	const char *code;
	const char *setting; /* "" or the INI value that each request sets, its number behind it */
	const char *value;
} server;

static __thread const server *present;
static __thread unsigned request_number;

/* The web server's part: before the modules' RINIT. */
static int activate(void)
{
	char value[256];
	if (present == NULL || present->setting[0] == '\0') {
		return SUCCESS;
	}
	size_t len = (size_t)snprintf(value, sizeof(value), "%s%u", present->value, request_number);
	zend_string *name = zend_string_init(present->setting, strlen(present->setting), 0);
	zend_alter_ini_entry_chars(name, value, len, ZEND_INI_SYSTEM, ZEND_INI_STAGE_ACTIVATE);
	zend_string_release(name);
	return SUCCESS;
}

static bool serve(const server *s)
{
	char name[] = "a thread's request", *arguments[] = {name, NULL};
	bool done = false;
	SG(server_context) = (void *)1;
	SG(request_info).argc = 1; /* without arguments it is not taken for a script's run */
	SG(request_info).argv = arguments;
	SG(options) |= SAPI_OPTION_NO_CHDIR;
	if (php_request_startup() == FAILURE) {
		return false;
	}
	SG(headers_sent) = 1;
	SG(request_info).no_headers = 1;
	zend_first_try
	{
		zend_eval_string((char *)(uintptr_t)s->code, NULL, name);
		done = EG(exception) == NULL;
	}
	zend_end_try();
	php_request_shutdown(NULL);
	SG(request_info).argv = NULL;
	return done;
}

static void *run(void *user)
{
	server *s = user;
	ts_resource(0);
	ZEND_TSRMLS_CACHE_UPDATE();
	present = s;
	for (unsigned i = 0; i < s->requests; i++) {
		request_number = s->number * s->requests + i;
		s->served += serve(s);
	}
	present = NULL;
	ts_free_thread();
	return NULL;
}

/* Answers how many requests ran to their end. */
ZEND_BEGIN_ARG_INFO_EX(threads_arguments, 0, 0, 5)
ZEND_ARG_INFO(0, threads)
ZEND_ARG_INFO(0, requests)
ZEND_ARG_INFO(0, code)
ZEND_ARG_INFO(0, setting)
ZEND_ARG_INFO(0, value)
ZEND_END_ARG_INFO()

static PHP_FUNCTION(opa_test_threads)
{
	zend_long threads, requests;
	char *code, *setting, *value;
	size_t len;
	server servers[MOST_THREADS] = {{0}};
	unsigned served = 0;
	if (zend_parse_parameters(ZEND_NUM_ARGS(), "llsss", &threads, &requests, &code, &len, &setting,
			&len, &value, &len) == FAILURE) {
		return;
	}
	sapi_module.activate = activate;
	for (unsigned i = 0; i < threads && i < MOST_THREADS; i++) {
		servers[i] = (server){.number = i,
			.requests = (unsigned)requests,
			.code = code,
			.setting = setting,
			.value = value};
		pthread_create(&servers[i].thread, NULL, run, &servers[i]);
	}
	for (unsigned i = 0; i < threads && i < MOST_THREADS; i++) {
		pthread_join(servers[i].thread, NULL);
		served += servers[i].served;
	}
	RETURN_LONG(served);
}

/* Bytes that malloc has handed out, in all arenas. */
ZEND_BEGIN_ARG_INFO_EX(malloced_arguments, 0, 0, 0)
ZEND_END_ARG_INFO()

static PHP_FUNCTION(opa_test_malloced)
{
	ZEND_PARSE_PARAMETERS_NONE();
#ifdef __GLIBC__
	RETURN_LONG((zend_long)mallinfo2().uordblks);
#else
	RETURN_LONG(0); /* not known */
#endif
}

/* clang-format off */
static const zend_function_entry functions[] = {
	PHP_FE(opa_test_threads, threads_arguments)
	PHP_FE(opa_test_malloced, malloced_arguments)
	PHP_FE_END
};
/* clang-format on */

zend_module_entry opa_threads_module_entry = {
	STANDARD_MODULE_HEADER,
	"opa_threads",
	functions,
	NULL,
	NULL,
	NULL,
	NULL,
	NULL,
	"0",
	STANDARD_MODULE_PROPERTIES,
};

ZEND_GET_MODULE(opa_threads)
