/*
 * HTTP for opa-exporter: one request at a time for each client, without waiting, over connections
 * that are kept. Around libcurl, which nothing else includes.
 *
 * One thread (libcurl starts others of its own to resolve names). Nothing is read from the
 * environment: no proxy but the one that is given.
 */
#ifndef OPA_HTTP_CLIENT_H
#define OPA_HTTP_CLIENT_H

#include "opa_otlp_read.h"

/* What clients share: their connections, and one place to wait for all of them. */
typedef struct opa_http opa_http;

/* NULL when memory is short. One in a process; it outlives its clients. */
opa_http *opa_http_create(void);
void opa_http_destroy(opa_http *http);

/* Whether some request is under way. */
bool opa_http_is_busy(const opa_http *http);

/* Goes on with all requests, for so long at most. True when one of them has ended. */
bool opa_http_wait(opa_http *http, unsigned ms);

typedef struct opa_http_client opa_http_client;

/* Lent: as long as the client lives. NULL where there is none. */
typedef struct opa_http_options {
	const char *url; /* http://, https:// or unix:///path */
	const char *proxy;
	const char *ca_file; /* NULL: the system's certificates */
	const char *cert_file;
	const char *key_file;
	const char *user_agent;
	const char *content_type;
	const char *const *headers; /* "name: value"; those above cannot be replaced but user_agent */
	size_t header_count;
	bool gzip; /* the bodies are */
} opa_http_options;

/* NULL when memory is short, or libcurl cannot do what is asked for. */
opa_http_client *opa_http_client_create(opa_http *http, const opa_http_options *options);

/* Gives up what is under way. NULL is allowed. */
void opa_http_client_destroy(opa_http_client *client);

/* More of an answer is not read. */
#define OPA_HTTP_ANSWER_MAX (4u * 1024 * 1024)

typedef enum opa_http_result {
	OPA_HTTP_ANSWERED,
	OPA_HTTP_UNREACHABLE, /* no connection: name, refused, TLS */
	OPA_HTTP_TIMED_OUT,
	OPA_HTTP_BROKEN, /* the connection ended before the answer did */
} opa_http_result;

typedef struct opa_http_answer {
	opa_http_result result;
	unsigned status;      /* 0 unless it was answered */
	bool cut;             /* the answer is larger than OPA_HTTP_ANSWER_MAX */
	opa_str body;         /* what was read of it */
	const char *type;     /* Content-Type; "" when there was none */
	const char *location; /* Location, made absolute; "" when there was none */
	uint64_t retry_after; /* seconds; 0: none was asked for */
	const char *problem;  /* a line for people where the result is not OPA_HTTP_ANSWERED, else "" */
	const char
		*cause; /* of it, a word for programs: "dns", "connect", "certificate", ...; static */
} opa_http_answer;

/*
 * Begins to POST the body, which is lent until the answer is there or the request is given up.
 * False when memory is short.
 */
bool opa_http_client_post(
	opa_http_client *client, const void *body, size_t len, unsigned timeout_ms);

/* The answer, until the next request; NULL while the request is under way. */
const opa_http_answer *opa_http_client_answer(const opa_http_client *client);

/* Gives up what is under way; there is no answer then. */
void opa_http_client_cancel(opa_http_client *client);

#endif
