/*
 * FrankenPHP's worker mode in small: an extension that makes PHP on the command line look like it
 * to what is loaded beside it, and serves requests out of a file. What it keeps to is what
 * FrankenPHP does in frankenphp_handle_request(): the dummy request in which the script starts, the
 * SAPI's request information and the superglobals made anew for each request, the environment of
 * the process (not of the request) in the SAPI's getenv, uncaught exceptions, exit.
 *
 * $OPA_TEST_REQUESTS names the file: for each request a line "COUNT METHOD URI", lines
 * "NAME=VALUE" for $_SERVER, and an empty line. COUNT of them come one after the other, each after
 * $OPA_TEST_WAIT microseconds. An answer's status and its more interesting headers are printed in
 * front of its body.
 *
 * $OPA_TEST_FRANKENPHP says which one it is: "1.0", after an uncaught exception of which the script
 * is ended, and not by exit; "untold", whose $_SERVER does not say that this is a worker; "none",
 * where it is none.
 */
#include "php.h"
#include "php_main.h"
#include "php_output.h"
#include "php_variables.h"
#include "SAPI.h"
#include "zend_exceptions.h"
#include "ext/spl/spl_exceptions.h"
#include "ext/standard/head.h"

#include <unistd.h>

ZEND_TSRMLS_CACHE_DEFINE()

#define MOST_VARIABLES 64

typedef struct client_request {
	unsigned left; /* how often it comes yet */
	char method[32];
	char uri[4096];
	char *variables[MOST_VARIABLES];
	unsigned variable_count;
} client_request;

static FILE *requests;
static bool worker_started;
static client_request present = {.method = "GET", .uri = "/worker.php"};

static bool is_kind(const char *kind)
{
	const char *given = getenv("OPA_TEST_FRANKENPHP");
	return given != NULL && strcmp(given, kind) == 0;
}

/* ---- the web server's part ---- */

static void read_request(void)
{
	char line[8192];
	while (present.variable_count > 0) {
		free(present.variables[--present.variable_count]);
	}
	while (fgets(line, sizeof(line), requests) != NULL && line[0] != '\n') {
		line[strcspn(line, "\n")] = '\0';
		if (present.left == 0) {
			if (sscanf(line, "%u %31s %4095s", &present.left, present.method, present.uri) != 3) {
				present.left = 0;
			}
		} else if (present.variable_count < MOST_VARIABLES) {
			present.variables[present.variable_count++] = strdup(line);
		}
	}
}

static bool wait_for_request(void)
{
	const char *path = getenv("OPA_TEST_REQUESTS"), *wait = getenv("OPA_TEST_WAIT");
	if (wait != NULL) {
		usleep((useconds_t)atoi(wait));
	}
	if (requests == NULL && (path == NULL || (requests = fopen(path, "r")) == NULL)) {
		return false;
	}
	if (present.left > 0) {
		present.left--;
	}
	if (present.left == 0) {
		read_request();
	}
	return present.left > 0;
}

static void tell_request(void)
{
	char *query = strchr(present.uri, '?');
	SG(request_info).request_method = present.method;
	SG(request_info).request_uri = present.uri;
	SG(request_info).query_string = query == NULL ? NULL : query + 1;
	SG(request_info).proto_num = 1001;
}

/* Before RINIT, for the dummy request. */
static int activate(void)
{
	if (!worker_started) {
		tell_request();
	}
	return SUCCESS;
}

static void register_variables(zval *to)
{
	php_register_variable("REQUEST_METHOD", present.method, to);
	php_register_variable("REQUEST_URI", present.uri, to);
	php_register_variable("SERVER_PROTOCOL", "HTTP/1.1", to);
	php_register_variable("REMOTE_ADDR", "192.0.2.1", to);
	if (!is_kind("untold") && !is_kind("none")) {
		php_register_variable("FRANKENPHP_WORKER", "1", to);
	}
	for (unsigned i = 0; i < present.variable_count; i++) {
		char name[128];
		const char *value = strchr(present.variables[i], '=');
		snprintf(
			name, sizeof(name), "%.*s", (int)(value - present.variables[i]), present.variables[i]);
		php_register_variable(name, value + 1, to);
	}
}

static char *process_variable(const char *name, size_t len)
{
	(void)len;
	return getenv(name);
}

static int send_headers(sapi_headers_struct *headers)
{
	zend_llist_position at;
	const sapi_header_struct *header;
	if (!worker_started) {
		return SAPI_HEADER_SENT_SUCCESSFULLY; /* nobody has asked */
	}
	printf("<%d", headers->http_response_code);
	for (header = zend_llist_get_first_ex(&headers->headers, &at); header != NULL;
		 header = zend_llist_get_next_ex(&headers->headers, &at)) {
		if (strncasecmp(header->header, "X-Powered-By:", 13) != 0 &&
			strncasecmp(header->header, "Content-type:", 13) != 0) {
			printf(" %s", header->header);
		}
	}
	printf(">\n");
	fflush(stdout);
	return SAPI_HEADER_SENT_SUCCESSFULLY;
}

/* ---- a request ---- */

static void import_superglobal(const char *name)
{
	zend_auto_global *global = zend_hash_str_find_ptr(CG(auto_globals), name, strlen(name));
	if (global != NULL && global->auto_global_callback != NULL) {
		global->armed = global->auto_global_callback(global->name);
	}
}

/* Those that have something for each request; others live as long as the script. */
static void call_modules(bool startup)
{
	static const char *const names[] = {"filter", "session"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		zend_module_entry *module =
			zend_hash_str_find_ptr(&module_registry, names[i], strlen(names[i]));
		zend_result (*call)(INIT_FUNC_ARGS) = module == NULL ? NULL
											  : startup      ? module->request_startup_func
															 : module->request_shutdown_func;
		if (call != NULL) {
			call(module->type, module->module_number);
		}
	}
}

static void request_startup(void)
{
	SG(server_context) = (void *)1;
	SG(sapi_headers).http_response_code = 200;
	tell_request();
	php_output_activate();
	PG(header_is_being_sent) = 0;
	PG(connection_status) = PHP_CONNECTION_NORMAL;
	sapi_activate();
	import_superglobal("_GET");
	import_superglobal("_POST");
	import_superglobal("_COOKIE");
	import_superglobal("_FILES");
	import_superglobal("_SERVER");
	call_modules(true);
	SG(sapi_started) = 1;
}

static void request_shutdown(void)
{
	zend_try
	{
		php_output_end_all();
	}
	zend_end_try();
	call_modules(false);
	zend_try
	{
		php_output_deactivate();
	}
	zend_end_try();
	SG(request_info).request_method = NULL;
	SG(request_info).request_uri = NULL;
	SG(request_info).query_string = NULL;
	zend_try
	{
		sapi_deactivate();
	}
	zend_end_try();
}

/* What the callback has thrown is printed for the client; exit ends the script. */
static void end_exceptionally(void)
{
	bool is_exit = zend_is_unwind_exit(EG(exception)) || zend_is_graceful_exit(EG(exception));
	if (!is_exit) {
		zend_exception_error(EG(exception), E_ERROR);
	}
	if (is_exit != is_kind("1.0")) {
		zend_bailout();
	}
}

ZEND_BEGIN_ARG_INFO_EX(handle_arguments, 0, 0, 1)
ZEND_ARG_TYPE_INFO(0, callback, IS_CALLABLE, 0)
ZEND_END_ARG_INFO()

static PHP_FUNCTION(frankenphp_handle_request)
{
	zend_fcall_info call;
	zend_fcall_info_cache cache;
	zval result, greeting;
	ZEND_PARSE_PARAMETERS_START(1, 1)
		Z_PARAM_FUNC(call, cache)
	ZEND_PARSE_PARAMETERS_END();
	if (is_kind("none")) {
		zend_throw_exception(spl_ce_RuntimeException,
			"frankenphp_handle_request() called while not in worker mode", 0);
		RETURN_THROWS();
	}
	if (!worker_started) {
		request_shutdown();
		worker_started = true;
	}
	bool come = wait_for_request();
	request_startup();
	if (!come) {
		RETURN_FALSE;
	}
	ZVAL_STRING(&greeting, "an argument");
	ZVAL_UNDEF(&result);
	call.retval = &result;
	call.params = &greeting;
	call.param_count = 1;
	zend_call_function(&call, &cache);
	if (EG(exception) != NULL) {
		end_exceptionally();
	}
	request_shutdown();
	if (Z_TYPE(result) == IS_STRING) {
		printf("the callback returned %s\n", Z_STRVAL(result));
		fflush(stdout);
	}
	zval_ptr_dtor(&result);
	zval_ptr_dtor(&greeting);
	RETURN_TRUE;
}

ZEND_BEGIN_ARG_INFO_EX(finish_arguments, 0, 0, 0)
ZEND_END_ARG_INFO()

static PHP_FUNCTION(frankenphp_finish_request)
{
	ZEND_PARSE_PARAMETERS_NONE();
	php_output_end_all();
	php_header();
	RETURN_TRUE;
}

/* clang-format off */
static const zend_function_entry functions[] = {
	PHP_FE(frankenphp_handle_request, handle_arguments)
	PHP_FE(frankenphp_finish_request, finish_arguments)
	PHP_FE_END
};
/* clang-format on */

static PHP_RINIT_FUNCTION(frankenphp)
{
#if defined(ZTS) && defined(ZEND_ENABLE_STATIC_TSRMLS_CACHE)
	ZEND_TSRMLS_CACHE_UPDATE();
#endif
	return SUCCESS;
}

static zend_module_entry frankenphp_module_entry = {
	STANDARD_MODULE_HEADER,
	"frankenphp",
	functions,
	NULL,
	NULL,
	PHP_RINIT(frankenphp),
	NULL,
	NULL,
	"0",
	STANDARD_MODULE_PROPERTIES,
};

/* Before the MINIT of any module: they are to see the SAPI as it will be. */
ZEND_DLEXPORT zend_module_entry *get_module(void)
{
#if defined(ZTS) && defined(ZEND_ENABLE_STATIC_TSRMLS_CACHE)
	ZEND_TSRMLS_CACHE_UPDATE();
#endif
	sapi_module.name = "frankenphp";
	sapi_module.activate = activate;
	sapi_module.getenv = process_variable;
	sapi_module.header_handler = NULL;
	sapi_module.send_headers = send_headers;
	sapi_module.register_server_variables = register_variables;
	return &frankenphp_module_entry;
}
