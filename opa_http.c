#include "php_opa.h"
#include "opa_http.h"
#include "core/opa_alloc.h"
#include "core/opa_utf8.h"

#define MAX_ARGS 128

static bool is_server, is_frankenphp;

void opa_http_startup(void)
{
	is_frankenphp = strcmp(sapi_module.name, "frankenphp") == 0;
	is_server = strcmp(sapi_module.name, "cli") != 0 && strcmp(sapi_module.name, "phpdbg") != 0 &&
				strcmp(sapi_module.name, "embed") != 0;
}

bool opa_http_is_server(void)
{
	return is_server;
}

/* php defines STDIN for the code that it runs, and for nothing else. */
bool opa_http_script_ran(void)
{
	return zend_hash_num_elements(&EG(included_files)) > 0 ||
		   zend_hash_str_exists(EG(zend_constants), ZEND_STRL("STDIN"));
}

bool opa_http_is_request(void)
{
	return is_server && !OPA_G(request).worker_starts;
}

/* ---- what the web server has said ---- */

/*
 * $_SERVER as the engine built it; for SAPIs that have no getenv of their own (cli-server), or one
 * that knows the process's environment and not the request (FrankenPHP).
 */
static opa_str from_server_array(const char *name)
{
	zval *server = &PG(http_globals)[TRACK_VARS_SERVER];
	if (Z_TYPE_P(server) != IS_ARRAY) {
		zend_is_auto_global(ZSTR_KNOWN(ZEND_STR_AUTOGLOBAL_SERVER));
	}
	if (Z_TYPE_P(server) != IS_ARRAY) {
		return (opa_str){"", 0};
	}
	zval *value = zend_hash_str_find(Z_ARRVAL_P(server), name, strlen(name));
	return value != NULL && Z_TYPE_P(value) == IS_STRING
			   ? (opa_str){Z_STRVAL_P(value), Z_STRLEN_P(value)}
			   : (opa_str){"", 0};
}

/* A CGI variable; empty when there is none. Lives as long as the request. */
static opa_str server_var(const char *name)
{
	if (sapi_module.getenv == NULL || is_frankenphp) {
		return from_server_array(name);
	}
	const char *value = sapi_module.getenv(name, strlen(name));
	return value == NULL ? (opa_str){"", 0} : (opa_str){value, strlen(value)};
}

opa_str opa_http_variable(const char *name)
{
	return server_var(name);
}

bool opa_http_is_worker_start(void)
{
	return is_frankenphp && server_var("FRANKENPHP_WORKER").len > 0;
}

static opa_str first_of(const char *const names[], size_t count)
{
	opa_str value = {"", 0};
	for (size_t i = 0; i < count && value.len == 0; i++) {
		value = server_var(names[i]);
	}
	return value;
}

/* ---- writing ---- */

static void put(const opa_config *config, opa_fields *to, opa_str key, opa_str value)
{
	if (value.len > 0) {
		value.len = opa_utf8_cut(value.data, value.len, config->max_value_length);
		opa_value plain = OPA_VALUE_OF_STRING(value);
		opa_fields_attribute(to, OPA_TAG_SPAN_ATTRIBUTE, key, &plain);
	}
}

static void put_int(opa_fields *to, opa_str key, int64_t value)
{
	opa_value plain = OPA_VALUE_OF_INT(value);
	opa_fields_attribute(to, OPA_TAG_SPAN_ATTRIBUTE, key, &plain);
}

static bool equals(opa_str a, const char *b)
{
	return a.len == strlen(b) && memcmp(a.data, b, a.len) == 0;
}

static bool equals_nocase(opa_str a, const char *b)
{
	return a.len == strlen(b) && strncasecmp(a.data, b, a.len) == 0;
}

/* ---- proxies ---- */

/* The first element of a comma list, without spaces around it. */
static opa_str first_element(opa_str list)
{
	const char *comma = memchr(list.data, ',', list.len);
	opa_str part = {list.data, comma == NULL ? list.len : (size_t)(comma - list.data)};
	while (part.len > 0 && *part.data == ' ') {
		part.data++;
		part.len--;
	}
	while (part.len > 0 && part.data[part.len - 1] == ' ') {
		part.len--;
	}
	return part;
}

/* A parameter of the first element of `Forwarded` (RFC 7239): for=, proto=, host=. */
static opa_str forwarded_param(const char *name)
{
	opa_str rest = first_element(server_var("HTTP_FORWARDED"));
	size_t name_len = strlen(name);
	while (rest.len > 0) {
		const char *semicolon = memchr(rest.data, ';', rest.len);
		size_t len = semicolon == NULL ? rest.len : (size_t)(semicolon - rest.data);
		opa_str part = first_element((opa_str){rest.data, len});
		if (part.len > name_len && part.data[name_len] == '=' &&
			strncasecmp(part.data, name, name_len) == 0) {
			opa_str value = {part.data + name_len + 1, part.len - name_len - 1};
			if (value.len >= 2 && value.data[0] == '"' && value.data[value.len - 1] == '"') {
				value.data++;
				value.len -= 2;
			}
			return value;
		}
		size_t step = len + (semicolon != NULL);
		rest.data += step;
		rest.len -= step;
	}
	return (opa_str){"", 0};
}

/* What a trusted proxy says, by the standard header or by the customary one. */
static opa_str proxied(const opa_config *config, const char *param, const char *header)
{
	if (!config->trust_proxy) {
		return (opa_str){"", 0};
	}
	opa_str value = forwarded_param(param);
	return value.len > 0 ? value : first_element(server_var(header));
}

/* ---- the facts ---- */

/* "host:port", "[v6]:port" or a host alone; *port is empty when there is none. */
static opa_str split_host(opa_str host, opa_str *port)
{
	*port = (opa_str){"", 0};
	const char *colon = NULL;
	if (host.len > 0 && host.data[0] == '[') {
		const char *bracket = memchr(host.data, ']', host.len);
		if (bracket == NULL) {
			return host;
		}
		if (bracket + 1 < host.data + host.len && bracket[1] == ':') {
			colon = bracket + 1;
		}
		opa_str address = {host.data + 1, (size_t)(bracket - host.data) - 1};
		if (colon != NULL) {
			*port = (opa_str){colon + 1, (size_t)(host.data + host.len - colon) - 1};
		}
		return address;
	}
	colon = memchr(host.data, ':', host.len);
	if (colon == NULL || memchr(colon + 1, ':', (size_t)(host.data + host.len - colon) - 1)) {
		return host; /* no port, or a bare IPv6 address */
	}
	*port = (opa_str){colon + 1, (size_t)(host.data + host.len - colon) - 1};
	return (opa_str){host.data, (size_t)(colon - host.data)};
}

static int64_t port_number(opa_str text)
{
	int64_t port = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9' || i == 5) {
			return 0;
		}
		port = port * 10 + (text.data[i] - '0');
	}
	return port <= 65535 ? port : 0;
}

static void put_port(opa_fields *to, opa_str key, opa_str text)
{
	int64_t port = port_number(text);
	if (port > 0) {
		put_int(to, key, port);
	}
}

static opa_str scheme_of(const opa_config *config)
{
	opa_str scheme = proxied(config, "proto", "HTTP_X_FORWARDED_PROTO");
	if (equals_nocase(scheme, "https")) {
		return OPA_STR("https");
	}
	if (equals_nocase(scheme, "http")) {
		return OPA_STR("http");
	}
	opa_str https = server_var("HTTPS");
	if (https.len > 0 && !equals_nocase(https, "off")) {
		return OPA_STR("https");
	}
	return equals_nocase(server_var("REQUEST_SCHEME"), "https") ? OPA_STR("https")
																: OPA_STR("http");
}

static void put_addresses(const opa_config *config, opa_fields *to)
{
	opa_str port, host = proxied(config, "host", "HTTP_X_FORWARDED_HOST");
	opa_str default_port = server_var("SERVER_PORT");
	if (host.len > 0) {
		/* The port that the proxy was asked at, not the one that it asks. */
		default_port = equals(scheme_of(config), "https") ? OPA_STR("443") : OPA_STR("80");
	} else {
		static const char *const names[] = {"HTTP_HOST", "SERVER_NAME", "SERVER_ADDR"};
		host = first_of(names, 3);
	}
	host = split_host(host, &port);
	put(config, to, OPA_STR("server.address"), host);
	put_port(to, OPA_STR("server.port"), port_number(port) > 0 ? port : default_port);
	opa_str peer = server_var("REMOTE_ADDR"), peer_port;
	opa_str client = split_host(proxied(config, "for", "HTTP_X_FORWARDED_FOR"), &peer_port);
	put(config, to, OPA_STR("client.address"), client.len > 0 ? client : peer);
	put(config, to, OPA_STR("network.peer.address"), peer);
	put_port(to, OPA_STR("network.peer.port"), server_var("REMOTE_PORT"));
}

/* The path, and behind it the query if there is one, with its question mark. */
static opa_str request_uri(void)
{
	opa_str uri = server_var("REQUEST_URI");
	if (uri.len == 0 && SG(request_info).request_uri != NULL) {
		uri = (opa_str){SG(request_info).request_uri, strlen(SG(request_info).request_uri)};
	}
	/* The absolute form that a proxy gets: "GET http://host/path". */
	if (uri.len > 7 && uri.data[0] != '/') {
		const char *slashes = zend_memnstr(uri.data, "://", 3, uri.data + uri.len);
		if (slashes != NULL) {
			const char *end = uri.data + uri.len, *path = slashes + 3;
			while (path < end && *path != '/' && *path != '?') {
				path++; /* host, and perhaps a password, which nobody is to see */
			}
			uri = (opa_str){path, (size_t)(end - path)};
		}
	}
	return uri;
}

static void put_url(const opa_config *config, opa_fields *to)
{
	opa_str uri = request_uri(), query = {"", 0};
	const char *mark = memchr(uri.data, '?', uri.len);
	if (mark != NULL) {
		query = (opa_str){mark + 1, (size_t)(uri.data + uri.len - mark) - 1};
		uri.len = (size_t)(mark - uri.data);
	} else if (SG(request_info).query_string != NULL) {
		query = (opa_str){SG(request_info).query_string, strlen(SG(request_info).query_string)};
	}
	put(config, to, OPA_STR("url.path"), uri.len > 0 ? uri : OPA_STR("/"));
	query.len = MIN(query.len, config->max_value_length);
	if (query.len > 0) {
		char few[1024], *room = few;
		size_t bound = opa_redact_query_bound(query.len);
		if (bound > sizeof(few)) {
			room = opa_malloc(bound);
		}
		if (room != NULL) {
			put(config, to, OPA_STR("url.query"),
				(opa_str){room, opa_redact_query(config->redact, query, room)});
		}
		if (room != few) {
			opa_free(room);
		}
	}
}

/* "HTTP/1.1" -> "1.1", "HTTP/2.0" -> "2". */
static opa_str protocol_version(void)
{
	opa_str protocol = server_var("SERVER_PROTOCOL");
	if (protocol.len <= 5 || strncasecmp(protocol.data, "HTTP/", 5) != 0) {
		return (opa_str){"", 0};
	}
	opa_str version = {protocol.data + 5, protocol.len - 5};
	if (equals(version, "2.0") || equals(version, "3.0")) {
		version.len = 1;
	}
	return version;
}

static bool is_known_method(const opa_config *config, opa_str method)
{
	static const char conventional[] =
		",GET,HEAD,POST,PUT,DELETE,CONNECT,OPTIONS,TRACE,PATCH,QUERY,";
	const char *list = config->known_methods != NULL ? config->known_methods : conventional;
	if (memchr(method.data, ',', method.len) != NULL) {
		return false;
	}
	for (const char *at = list; (at = strchr(at, ',')) != NULL; at++) {
		if (strncmp(at + 1, method.data, method.len) == 0 && at[1 + method.len] == ',') {
			return method.len > 0;
		}
	}
	return false;
}

static opa_str text_of(const char *text)
{
	return text == NULL ? OPA_STR("") : (opa_str){text, strlen(text)};
}

static opa_str begin_server(const opa_config *config, opa_fields *to, char *room)
{
	opa_str method = text_of(SG(request_info).request_method);
	bool known = is_known_method(config, method) && method.len < OPA_HTTP_NAME_ROOM;
	put(config, to, OPA_STR("http.request.method"), known ? method : OPA_STR("_OTHER"));
	if (!known) {
		put(config, to, OPA_STR("http.request.method_original"), method);
	}
	put(config, to, OPA_STR("url.scheme"), scheme_of(config));
	put_url(config, to);
	put_addresses(config, to);
	put(config, to, OPA_STR("user_agent.original"), server_var("HTTP_USER_AGENT"));
	put(config, to, OPA_STR("network.protocol.version"), protocol_version());
	opa_str name = known ? method : OPA_STR("HTTP");
	memcpy(room, name.data, name.len);
	return (opa_str){room, name.len};
}

/* ---- the command line ---- */

static void put_args(const opa_config *config, opa_fields *to)
{
	opa_value items[MAX_ARGS];
	size_t count = 0;
	for (int i = 0; i < SG(request_info).argc && count < MAX_ARGS; i++) {
		const char *arg = SG(request_info).argv[i];
		size_t len = opa_utf8_cut(arg, strlen(arg), config->max_value_length);
		items[count++] = OPA_VALUE_OF_STRING(((opa_str){arg, len}));
	}
	opa_value list = {.type = OPA_VALUE_LIST, .as.list = {items, count}};
	opa_fields_attribute(to, OPA_TAG_SPAN_ATTRIBUTE, OPA_STR("process.command_args"), &list);
}

static opa_str script_path(void)
{
	opa_str script = text_of(SG(request_info).path_translated);
	return script.len > 0 ? script : OPA_STR("php");
}

static opa_str begin_script(const opa_config *config, opa_fields *to, char *room)
{
	opa_str script = script_path();
	put(config, to, OPA_STR("process.executable.name"), OPA_STR("php"));
	put(config, to, OPA_STR("process.command"), script);
	if (config->cli_args) {
		put_args(config, to);
	}
	for (size_t i = script.len; i-- > 0;) {
		if (script.data[i] == '/' || script.data[i] == '\\') {
			script = (opa_str){script.data + i + 1, script.len - i - 1};
			break;
		}
	}
	size_t len = opa_utf8_cut(script.data, script.len, OPA_HTTP_NAME_ROOM / 3);
	size_t repaired = opa_utf8_repaired_len(script.data, len);
	opa_utf8_repair(script.data, len, room);
	return (opa_str){room, repaired};
}

void opa_http_target(opa_str *method, opa_str *path)
{
	*method = OPA_STR("");
	*path = script_path();
	if (opa_http_is_request()) {
		*method = text_of(SG(request_info).request_method);
		*path = request_uri();
		const char *mark = memchr(path->data, '?', path->len);
		path->len = mark == NULL ? path->len : (size_t)(mark - path->data);
		*path = path->len > 0 ? *path : OPA_STR("/");
	}
}

opa_str opa_http_begin(const opa_config *config, opa_fields *attributes, char *room)
{
	return opa_http_is_request() ? begin_server(config, attributes, room)
								 : begin_script(config, attributes, room);
}

/* ---- the end ---- */

void opa_http_end(opa_fields *attributes, bool *failed, opa_str *error_type, char *room)
{
	int code = EG(exit_status) & 0xff; /* what a parent process gets of it */
	*failed = code != 0;
	if (opa_http_is_request()) {
		code = SG(sapi_headers).http_response_code;
		code = code == 0 ? 200 : code;
		*failed = code >= 500;
		put_int(attributes, OPA_STR("http.response.status_code"), code);
	} else {
		put_int(attributes, OPA_STR("process.exit.code"), code);
	}
	*error_type = (opa_str){room, (size_t)snprintf(room, 32, "%d", code)};
}

/* Added, not replaced: Server-Timing may have more to say. */
static void add_header(char *line, int len)
{
	sapi_header_line header = {.line = line, .line_len = (uint32_t)len};
	sapi_header_op(SAPI_HEADER_ADD, &header);
}

void opa_http_answer(const char *traceparent)
{
	char line[128];
	add_header(line, snprintf(line, sizeof(line), "traceresponse: %s", traceparent));
	add_header(
		line, snprintf(line, sizeof(line), "Server-Timing: traceparent;desc=\"%s\"", traceparent));
}
