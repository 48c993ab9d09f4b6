/*
 * The texts that say where traces are sent over the network, as settings and variables have them: a
 * collector's URL, a proxy's URL, a list of headers.
 */
#ifndef OPA_ADDRESS_H
#define OPA_ADDRESS_H

#include "opa_base.h"

#define OPA_ADDRESS_MAX       2048         /* bytes of a URL */
#define OPA_HEADERS_MAX       (16u * 1024) /* bytes of a list of headers */
#define OPA_HEADERS_COUNT_MAX 64

/* Where collectors on this machine listen, by OTLP's specification. */
#define OPA_ADDRESS_LOCAL "http://localhost:4318"

/*
 * http://host[:port][/path][?query], https://..., or unix:///path/of/a/socket. Printable ASCII
 * without spaces, quotes and `#`; a name and a password may stand in front of the host.
 */
bool opa_address_is_endpoint(opa_str text);

/* [scheme://][name:password@]host[:port], where the scheme is http, https, socks4(a) or socks5(h).
 */
bool opa_address_is_proxy(opa_str text);

/* Whether it is unix:///path; *path (which may be NULL) is then the path, within the text. */
bool opa_address_is_socket(const char *text, const char **path);

/* How opa_address_complete() makes the URL that is posted to. */
typedef enum opa_address_kind {
	OPA_ADDRESS_BASE,    /* v1/traces is appended to the path */
	OPA_ADDRESS_EITHER,  /* the same, unless the path ends with /v1/traces */
	OPA_ADDRESS_AS_IT_IS /* an empty path becomes "/" */
} opa_address_kind;

/*
 * The URL that traces are posted to, terminated. A socket stays as it is. `text` is an endpoint;
 * `to` has room for OPA_ADDRESS_MAX + 16 bytes.
 */
void opa_address_complete(opa_str text, opa_address_kind kind, char *to);

/*
 * A URL for people: with REDACTED in the place of name and password, and of the query, which are
 * where people put keys. Cut to what fits.
 */
void opa_address_show(opa_str text, char *to, size_t size);

/* A header that the user has added to requests: both within the list, the value still
 * percent-encoded. */
typedef struct opa_extra_header {
	opa_str name;
	opa_str value;
} opa_extra_header;

/*
 * Takes the next member off the front of a list "name=value,name=value". Blanks around names and
 * values, and empty members, are passed over. False at its end, and where a member is malformed:
 * then *list is not empty.
 */
bool opa_extra_header_next(opa_str *list, opa_extra_header *header);

/* Decodes a value into `to`, which has room for value.len bytes; answers how many were written. */
size_t opa_extra_header_decode(opa_str value, char *to);

/*
 * Whether all of the list is well-formed: names of HTTP's characters, values that are, decoded,
 * without control characters, and within the bounds above.
 */
bool opa_headers_are_valid(opa_str list);

/* The list with REDACTED in the place of each value. Cut to what fits. */
void opa_headers_show(opa_str list, char *to, size_t size);

#endif
