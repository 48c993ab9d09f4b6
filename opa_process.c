#include "php_opa.h"
#include "opa_process.h"
#include "opa_ini.h"
#include "opa_config_cache.h"
#include "opa_http.h"
#include "core/opa_alloc.h"
#include "core/opa_place.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>

#define SHARDS_ZTS 64

opa_process opa_the_process;

static opa_config_cache *configs;
static char *exporter_path;
static bool atfork_registered;
static atomic_bool in_use;

/* ---- fork ---- */

static void before_fork(void)
{
	if (opa_the_process.spans != NULL) {
		opa_span_table_fork_prepare(opa_the_process.spans);
		opa_publish_fork_prepare(opa_the_process.publisher);
		opa_config_cache_fork_prepare(configs);
	}
}

static void after_fork_in_parent(void)
{
	if (opa_the_process.spans != NULL) {
		opa_config_cache_fork_parent(configs);
		opa_publish_fork_parent(opa_the_process.publisher);
		opa_span_table_fork_parent(opa_the_process.spans);
	}
}

static void after_fork_in_child(void)
{
	if (opa_the_process.spans != NULL) {
		opa_config_cache_fork_child(configs);
		opa_publish_fork_child(opa_the_process.publisher);
		opa_span_table_fork_child(opa_the_process.spans);
		opa_request_note_fork();
	}
}

/* ---- life ---- */

static void destroy_rest(void)
{
	opa_publisher_destroy(opa_the_process.publisher);
	opa_the_process.publisher = NULL;
	opa_config_cache_destroy(configs);
	configs = NULL;
	opa_free(exporter_path);
	exporter_path = NULL;
	atomic_store_explicit(&in_use, false, memory_order_relaxed);
}

bool opa_process_startup(void)
{
#ifdef ZTS
	unsigned shards = SHARDS_ZTS;
#else
	unsigned shards = 1;
#endif
	exporter_path = opa_place_beside((const void *)&opa_process_startup, "opa-exporter");
	opa_the_process.publisher = opa_publisher_create();
	configs = opa_config_cache_create();
	opa_span_table *spans = opa_span_table_create(shards);
	if (opa_the_process.publisher == NULL || configs == NULL || spans == NULL) {
		opa_span_table_destroy(spans);
		destroy_rest();
		return false;
	}
	opa_the_process.spans = spans;
	/* opa.so stays mapped, and so does the registration, when PHP unloads and loads it again. */
	if (!atfork_registered) {
		atfork_registered =
			pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child) == 0;
	}
	return true;
}

void opa_process_shutdown(void)
{
	if (opa_the_process.spans == NULL) {
		return;
	}
	opa_span_table *spans = opa_the_process.spans;
	opa_the_process.spans = NULL;
	opa_span_table_destroy(spans);
	destroy_rest();
}

/* ---- configs ---- */

#ifdef ZTS
/* What was read of the environment for a config that is being made. */
typedef struct variable {
	struct variable *next;
	char value[];
} variable;

/* A copy: another thread may be within PHP's putenv(), which frees what it replaces. */
static bool read_variable(void *user, const char *name, const char **value)
{
	variable **read = user, *copy = NULL;
	tsrm_env_lock();
	const char *present = getenv(name);
	if (present != NULL) {
		size_t size = strlen(present) + 1;
		copy = opa_malloc(sizeof(*copy) + size);
		if (copy != NULL) {
			memcpy(copy->value, present, size);
		}
	}
	tsrm_env_unlock();
	*value = NULL;
	if (copy != NULL) {
		copy->next = *read;
		*read = copy;
		*value = copy->value;
	}
	return copy != NULL || present == NULL;
}

static void forget_variables(variable *read)
{
	while (read != NULL) {
		variable *next = read->next;
		opa_free(read);
		read = next;
	}
}
#else
typedef void variable;

static bool read_variable(void *user, const char *name, const char **value)
{
	(void)user;
	*value = getenv(name);
	return true;
}

static void forget_variables(variable *read)
{
	(void)read;
}
#endif

zend_string *opa_process_variable(const char *name)
{
	variable *read = NULL;
	const char *value;
	zend_string *copy = NULL;
	if (read_variable(&read, name, &value) && value != NULL && *value != '\0') {
		copy = zend_string_init(value, strlen(value), false);
	}
	forget_variables(read);
	return copy;
}

/*
 * On the command line PHP's log is the user's terminal, and a program's output is to be the same
 * with and without opa: there opa_status() and `opa status` say it, the log only for debugging.
 */
static void log_warnings(const opa_config *config)
{
	if (config->warnings == NULL || (!opa_http_is_server() && config->log_level < OPA_LOG_DEBUG)) {
		return;
	}
	for (const char *line = config->warnings; *line != '\0';) {
		size_t len = strcspn(line, "\n");
		if (opa_config_cache_is_news(configs, (opa_str){line, len})) {
			opa_process_log(config, OPA_LOG_WARNING, "%.*s", (int)len, line);
		}
		line += len + 1;
	}
}

static void fill_input(opa_config_input *input)
{
	memset(input, 0, sizeof(*input));
	opa_ini_collect(input->ini, input->given);
	input->getenv = read_variable;
	/* `php -S` is a developer's own, on the command line. */
	input->server = opa_http_is_server() && strcmp(sapi_module.name, "cli-server") != 0;
	input->sapi = sapi_module.name;
	input->php_version = PHP_VERSION;
	input->opa_version = PHP_OPA_VERSION;
	input->exporter = exporter_path;
}

opa_config *opa_process_config(opa_config *last)
{
	opa_config_input input;
	variable *read = NULL;
	bool made;
	fill_input(&input);
	input.user = &read;
	opa_config *config = opa_config_cache_get(configs, &input, last, &made);
	forget_variables(read);
	if (made) {
		log_warnings(config);
	}
	return config;
}

void opa_process_renew_config(opa_config *config)
{
	opa_config_input input;
	fill_input(&input);
	opa_config_cache_renew(configs, config, &input);
}

void opa_process_begin_use(void)
{
	atomic_store_explicit(&in_use, true, memory_order_relaxed);
}

bool opa_process_is_in_use(void)
{
	return atomic_load_explicit(&in_use, memory_order_relaxed);
}

void opa_process_log(const opa_config *config, opa_log_level level, const char *format, ...)
{
	char line[768];
	va_list args;
	if (level > (config == NULL ? OPA_LOG_WARNING : config->log_level)) {
		return;
	}
	int prefix = snprintf(line, sizeof(line), "opa: ");
	va_start(args, format);
	vsnprintf(line + prefix, sizeof(line) - (size_t)prefix, format, args);
	va_end(args);
	php_log_err(line);
}
