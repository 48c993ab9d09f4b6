#include "opa_http_client.h"

#include "../core/opa_address.h"
#include "../core/opa_alloc.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/*
 * A name is asked for again, and a collector that has become several gets its share: connections
 * are not kept for ever.
 */
#define CONNECTION_SECONDS 600L
#define CA_SECONDS         60L /* that opa.ca_file is not read again */
#define PROBLEM_MAX        (CURL_ERROR_SIZE + 256)

#define NO_AGREEMENT "TLS: no agreement (is it an https:// port, does it want a certificate?)"
#define NO_HTTP      "it does not speak HTTP there (is it the port for gRPC? OTLP over HTTP has 4318)"

struct opa_http {
	CURLM *multi;
	unsigned busy;
};

struct opa_http_client {
	opa_http *http;
	CURL *easy;
	struct curl_slist *headers;
	bool under_way;
	bool has_answer;
	opa_text body;
	char error[CURL_ERROR_SIZE];
	char problem[PROBLEM_MAX];
	opa_http_answer answer;
};

/* ---- what clients share ---- */

opa_http *opa_http_create(void)
{
	opa_http *http = opa_calloc(1, sizeof(*http));
	if (http == NULL || curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK) {
		opa_free(http);
		return NULL;
	}
	http->multi = curl_multi_init();
	if (http->multi == NULL) {
		opa_http_destroy(http);
		return NULL;
	}
	return http;
}

void opa_http_destroy(opa_http *http)
{
	if (http != NULL) {
		curl_multi_cleanup(http->multi);
		curl_global_cleanup();
		opa_free(http);
	}
}

bool opa_http_is_busy(const opa_http *http)
{
	return http->busy > 0;
}

/* ---- answers ---- */

/* Everything that the answer needs to be told apart, from most to least certain. */
static opa_http_result classify(CURLcode code)
{
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		return OPA_HTTP_TIMED_OUT;
	case CURLE_PARTIAL_FILE:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
	case CURLE_SEND_FAIL_REWIND:
		return OPA_HTTP_BROKEN;
	default:
		return OPA_HTTP_UNREACHABLE;
	}
}

/* What libcurl's codes mean to whoever has set the settings. */
typedef struct explanation {
	CURLcode code;
	const char *cause;
	const char *text;
} explanation;

static explanation explain(CURLcode code)
{
	static const explanation known[] = {
		{CURLE_COULDNT_RESOLVE_HOST, "dns", "the host name cannot be resolved (DNS)"},
		{CURLE_COULDNT_RESOLVE_PROXY, "proxy_dns",
			"the host name of opa.proxy cannot be resolved (DNS)"},
		{CURLE_COULDNT_CONNECT, "connect", "no connection"},
		{CURLE_OPERATION_TIMEDOUT, "timeout", "no answer in time (opa.timeout)"},
		{CURLE_PEER_FAILED_VERIFICATION, "certificate",
			"TLS: its certificate is not trusted (opa.ca_file)"},
		{CURLE_SSL_CACERT_BADFILE, "ca_file", "TLS: opa.ca_file cannot be read"},
		{CURLE_SSL_CERTPROBLEM, "client_certificate",
			"TLS: opa.cert_file or opa.key_file cannot be used"},
		{CURLE_SSL_CONNECT_ERROR, "tls", NO_AGREEMENT},
		{CURLE_SSL_CIPHER, "tls", NO_AGREEMENT},
		{CURLE_UNSUPPORTED_PROTOCOL, "protocol", NO_HTTP},
		{CURLE_WEIRD_SERVER_REPLY, "protocol", NO_HTTP},
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i].code == code) {
			return known[i];
		}
	}
	return classify(code) == OPA_HTTP_BROKEN
			   ? (explanation){code, "broken", "the connection broke"}
			   : (explanation){code, "other", "no request can be made"};
}

static void describe(opa_http_client *client, CURLcode code)
{
	long reason = 0;
	const char *detail = client->error[0] != '\0' ? client->error : curl_easy_strerror(code);
	if (code == CURLE_COULDNT_CONNECT &&
		curl_easy_getinfo(client->easy, CURLINFO_OS_ERRNO, &reason) == CURLE_OK && reason != 0) {
		detail = strerror((int)reason);
	}
	explanation what = explain(code);
	snprintf(client->problem, sizeof(client->problem), "%s: %s", what.text, detail);
	client->answer.cause = what.cause;
}

static void conclude(opa_http_client *client, CURLcode code)
{
	opa_http_answer *answer = &client->answer;
	long status = 0;
	curl_off_t retry_after = 0;
	char *type = NULL, *location = NULL;
	curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(client->easy, CURLINFO_RETRY_AFTER, &retry_after);
	curl_easy_getinfo(client->easy, CURLINFO_CONTENT_TYPE, &type);
	curl_easy_getinfo(client->easy, CURLINFO_REDIRECT_URL, &location);
	/* A body that was not read on purpose; or its memory was short: the status says enough. */
	bool cut = code == CURLE_WRITE_ERROR && status >= 200;
	*answer = (opa_http_answer){
		.result = code == CURLE_OK || cut ? OPA_HTTP_ANSWERED : classify(code),
		.cut = cut,
		.body = {client->body.data, client->body.len},
		.type = type != NULL ? type : "",
		.location = location != NULL ? location : "",
		.retry_after = retry_after > 0 ? (uint64_t)retry_after : 0,
		.problem = "",
		.cause = "",
	};
	if (answer->result == OPA_HTTP_ANSWERED) {
		answer->status = (unsigned)status;
	} else {
		describe(client, code);
		answer->problem = client->problem;
	}
	client->has_answer = true;
}

static void leave(opa_http_client *client)
{
	if (client->under_way) {
		client->under_way = false;
		client->http->busy--;
		curl_multi_remove_handle(client->http->multi, client->easy);
	}
}

/* True when a request has ended. */
static bool collect(opa_http *http)
{
	bool ended = false;
	int left;
	for (CURLMsg *message = curl_multi_info_read(http->multi, &left); message != NULL;
		 message = curl_multi_info_read(http->multi, &left)) {
		char *owner = NULL;
		CURLcode code = message->data.result;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
		opa_http_client *client = (opa_http_client *)(void *)owner;
		conclude(client, code);
		leave(client);
		ended = true;
	}
	return ended;
}

bool opa_http_wait(opa_http *http, unsigned ms)
{
	int running;
	curl_multi_perform(http->multi, &running);
	if (collect(http)) {
		return true;
	}
	curl_multi_poll(http->multi, NULL, 0, (int)ms, NULL);
	curl_multi_perform(http->multi, &running);
	return collect(http);
}

/* Less than it was given ends the transfer. */
static size_t take_body(char *data, size_t size, size_t count, void *user)
{
	opa_http_client *client = user;
	size_t len = size * count;
	if (len > OPA_HTTP_ANSWER_MAX - client->body.len) {
		return 0;
	}
	opa_text_append(&client->body, data, len);
	return client->body.failed ? 0 : len;
}

/* ---- clients ---- */

static bool add_header(opa_http_client *client, const char *line)
{
	struct curl_slist *grown = curl_slist_append(client->headers, line);
	client->headers = grown != NULL ? grown : client->headers;
	return grown != NULL;
}

static bool is_header(const char *line, const char *name)
{
	size_t len = strlen(name);
	return strncasecmp(line, name, len) == 0 && line[len] == ':';
}

/* What frames the request is not the user's to say. */
static bool is_ours(const char *line)
{
	static const char *const names[] = {"Content-Type", "Content-Encoding", "Content-Length",
		"Transfer-Encoding", "Connection", "Expect", "Accept-Encoding"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (is_header(line, names[i])) {
			return true;
		}
	}
	return false;
}

/* libcurl takes "name:" as one to be left out, and "name;" as one without a value. */
static bool add_users_header(opa_http_client *client, const char *line)
{
	const char *colon = strchr(line, ':');
	if (colon == NULL || is_ours(line)) {
		return true;
	}
	if (strspn(colon + 1, " \t") < strlen(colon + 1)) {
		return add_header(client, line);
	}
	char empty[OPA_ADDRESS_MAX];
	snprintf(empty, sizeof(empty), "%.*s;", (int)(colon - line), line);
	return add_header(client, empty);
}

static bool set_headers(opa_http_client *client, const opa_http_options *options)
{
	char type[128];
	snprintf(type, sizeof(type), "Content-Type: %s", options->content_type);
	bool ok = add_header(client, type) && add_header(client, "Expect:") &&
			  (!options->gzip || add_header(client, "Content-Encoding: gzip"));
	for (size_t i = 0; ok && i < options->header_count; i++) {
		ok = add_users_header(client, options->headers[i]);
	}
	return ok && curl_easy_setopt(client->easy, CURLOPT_HTTPHEADER, client->headers) == CURLE_OK;
}

static bool set_text(CURL *easy, CURLoption option, const char *value)
{
	return value == NULL || curl_easy_setopt(easy, option, value) == CURLE_OK;
}

static bool set_number(CURL *easy, CURLoption option, long value)
{
	return curl_easy_setopt(easy, option, value) == CURLE_OK;
}

static bool set_protocols(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	return set_text(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	return set_number(easy, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
}

/*
 * What a libcurl that is older does not have is done without. (It then waits for a name that is
 * being resolved even when the request has been given up.)
 */
static void set_lifetimes(CURL *easy)
{
	set_number(easy, CURLOPT_MAXAGE_CONN, CONNECTION_SECONDS);
#if LIBCURL_VERSION_NUM >= 0x075000
	set_number(easy, CURLOPT_MAXLIFETIME_CONN, CONNECTION_SECONDS);
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
	set_number(easy, CURLOPT_CA_CACHE_TIMEOUT, CA_SECONDS);
	set_number(easy, CURLOPT_QUICK_EXIT, 1);
#endif
	set_number(easy, CURLOPT_TCP_KEEPALIVE, 1);
}

/* An empty proxy is none, whatever the environment says. */
static bool set_way(CURL *easy, const opa_http_options *options)
{
	const char *path;
	bool is_socket = opa_address_is_socket(options->url, &path);
	const char *proxy = is_socket || options->proxy == NULL ? "" : options->proxy;
	return set_text(easy, CURLOPT_URL, is_socket ? "http://localhost/v1/traces" : options->url) &&
		   (!is_socket || set_text(easy, CURLOPT_UNIX_SOCKET_PATH, path)) &&
		   set_text(easy, CURLOPT_PROXY, proxy) && set_text(easy, CURLOPT_NOPROXY, "") &&
		   set_text(easy, CURLOPT_CAINFO, options->ca_file) &&
		   set_text(easy, CURLOPT_SSLCERT, options->cert_file) &&
		   set_text(easy, CURLOPT_SSLKEY, options->key_file) &&
		   set_number(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
}

static bool set_up(opa_http_client *client, const opa_http_options *options)
{
	CURL *easy = client->easy;
	set_lifetimes(easy);
	return set_number(easy, CURLOPT_NOSIGNAL, 1) && set_number(easy, CURLOPT_POST, 1) &&
		   set_number(easy, CURLOPT_FOLLOWLOCATION, 0) && set_protocols(easy) &&
		   set_text(easy, CURLOPT_USERAGENT, options->user_agent) &&
		   curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, client->error) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_WRITEDATA, client) == CURLE_OK &&
		   curl_easy_setopt(easy, CURLOPT_PRIVATE, client) == CURLE_OK && set_way(easy, options) &&
		   set_headers(client, options);
}

opa_http_client *opa_http_client_create(opa_http *http, const opa_http_options *options)
{
	opa_http_client *client = opa_calloc(1, sizeof(*client));
	if (client == NULL) {
		return NULL;
	}
	client->http = http;
	client->easy = curl_easy_init();
	if (client->easy == NULL || !set_up(client, options)) {
		opa_http_client_destroy(client);
		return NULL;
	}
	return client;
}

void opa_http_client_destroy(opa_http_client *client)
{
	if (client != NULL) {
		leave(client);
		curl_easy_cleanup(client->easy);
		curl_slist_free_all(client->headers);
		opa_text_deinit(&client->body);
		opa_free(client);
	}
}

bool opa_http_client_post(
	opa_http_client *client, const void *body, size_t len, unsigned timeout_ms)
{
	CURL *easy = client->easy;
	leave(client);
	client->has_answer = false;
	client->error[0] = '\0';
	opa_text_reset(&client->body);
	if (curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body) != CURLE_OK ||
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len) != CURLE_OK ||
		!set_number(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms) ||
		!set_number(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)timeout_ms) ||
		curl_multi_add_handle(client->http->multi, easy) != CURLM_OK) {
		return false;
	}
	client->under_way = true;
	client->http->busy++;
	return true;
}

const opa_http_answer *opa_http_client_answer(const opa_http_client *client)
{
	return client->has_answer ? &client->answer : NULL;
}

void opa_http_client_cancel(opa_http_client *client)
{
	leave(client);
	client->has_answer = false;
}
