#include "opa_address.h"
#include "opa_redact.h"
#include "opa_units.h"

#include <stdio.h>
#include <string.h>

#define TRACES_PATH   "/v1/traces"
#define PORT_MAX      65535u
#define SOCKET_MAX    107 /* of sockaddr_un, without the zero at its end */
#define SOCKET_SCHEME "unix://"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static opa_str from(opa_str text, size_t offset)
{
	return (opa_str){text.data + offset, text.len - offset};
}

static opa_str up_to(opa_str text, size_t len)
{
	return (opa_str){text.data, len};
}

/* ---- URLs ---- */

typedef struct address {
	opa_str scheme; /* without ://; empty where there is none */
	opa_str user;   /* name and password, with the @ behind them; empty where there are none */
	opa_str host;   /* with its port */
	opa_str path;   /* begins with /, or is empty */
	opa_str query;  /* begins with ?, or is empty */
} address;

static size_t find_any(opa_str text, const char *set)
{
	size_t n = 0;
	while (n < text.len && strchr(set, text.data[n]) == NULL) {
		n++;
	}
	return n;
}

static address split(opa_str text)
{
	size_t colon = find_any(text, ":");
	bool has_scheme = text.len - colon > 2 && memcmp(text.data + colon, "://", 3) == 0;
	address a = {.scheme = up_to(text, has_scheme ? colon : 0)};
	text = from(text, has_scheme ? colon + 3 : 0);
	size_t authority = find_any(text, "/?"), user = authority;
	while (user > 0 && text.data[user - 1] != '@') {
		user--;
	}
	a.user = up_to(text, user);
	a.host = up_to(from(text, user), authority - user);
	text = from(text, authority);
	a.path = up_to(text, find_any(text, "?"));
	a.query = from(text, a.path.len);
	return a;
}

/* What a URL may be made of (RFC 3986), all of it. */
static bool is_printable(opa_str text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] <= ' ' || text.data[i] > '~' || strchr("\"<>\\^`{|}#", text.data[i])) {
			return false;
		}
	}
	return text.len > 0 && text.len < OPA_ADDRESS_MAX;
}

static bool is_port(opa_str text)
{
	unsigned port = 0;
	for (size_t i = 0; i < text.len && port <= PORT_MAX; i++) {
		if (!is_digit(text.data[i])) {
			return false;
		}
		port = port * 10 + (unsigned)(text.data[i] - '0');
	}
	return port > 0 && port <= PORT_MAX;
}

static bool is_name(opa_str host)
{
	for (size_t i = 0; i < host.len; i++) {
		char c = host.data[i];
		if (!is_letter(c) && !is_digit(c) && c != '-' && c != '.' && c != '_') {
			return false;
		}
	}
	return host.len > 0;
}

/* [an address of IPv6] */
static bool is_literal(opa_str host)
{
	for (size_t i = 1; i + 1 < host.len; i++) {
		char c = host.data[i];
		if (!is_digit(c) && !is_letter(c) && c != ':' && c != '.' && c != '%') {
			return false;
		}
	}
	return host.len > 3 && host.data[host.len - 1] == ']';
}

static bool is_host(opa_str host)
{
	size_t len = host.len;
	while (len > 0 && is_digit(host.data[len - 1])) {
		len--;
	}
	if (len > 0 && host.data[len - 1] == ':' && host.data[0] != '[') {
		return is_port(from(host, len)) && is_name(up_to(host, len - 1));
	}
	if (host.len == 0 || host.data[0] != '[') {
		return is_name(host);
	}
	if (host.data[host.len - 1] == ']') {
		return is_literal(host);
	}
	return len > 0 && host.data[len - 1] == ':' && is_port(from(host, len)) &&
		   is_literal(up_to(host, len - 1));
}

static bool is_one_of(opa_str scheme, const char *const *names)
{
	for (; *names != NULL; names++) {
		if (opa_text_equals(scheme, *names)) {
			return true;
		}
	}
	return false;
}

bool opa_address_is_socket(const char *text, const char **path)
{
	const size_t len = sizeof(SOCKET_SCHEME) - 1;
	bool is = strlen(text) > len && opa_text_equals((opa_str){text, len}, SOCKET_SCHEME);
	if (is && path != NULL) {
		*path = text + len;
	}
	return is;
}

bool opa_address_is_endpoint(opa_str text)
{
	static const char *const schemes[] = {"http", "https", NULL};
	address a = split(text);
	if (!is_printable(text)) {
		return false;
	}
	if (opa_text_equals(a.scheme, "unix")) {
		return a.user.len == 0 && a.host.len == 0 && a.query.len == 0 && a.path.len > 1 &&
			   a.path.len <= SOCKET_MAX;
	}
	return is_one_of(a.scheme, schemes) && is_host(a.host);
}

bool opa_address_is_proxy(opa_str text)
{
	static const char *const schemes[] = {
		"", "http", "https", "socks4", "socks4a", "socks5", "socks5h", NULL};
	address a = split(text);
	return is_printable(text) && is_one_of(a.scheme, schemes) && is_host(a.host) &&
		   (a.path.len == 0 || (a.path.len == 1 && a.query.len == 0)) && a.query.len == 0;
}

static bool ends_with_traces(opa_str path)
{
	const size_t len = sizeof(TRACES_PATH) - 1;
	return path.len >= len && memcmp(path.data + path.len - len, TRACES_PATH, len) == 0;
}

void opa_address_complete(opa_str text, opa_address_kind kind, char *to)
{
	const size_t size = OPA_ADDRESS_MAX + 16;
	address a = split(text);
	const char *more = "";
	if (opa_text_equals(a.scheme, "unix")) {
		snprintf(to, size, "%.*s", (int)text.len, text.data);
		return;
	}
	if (kind == OPA_ADDRESS_AS_IT_IS) {
		more = a.path.len == 0 ? "/" : "";
	} else if (kind == OPA_ADDRESS_BASE || !ends_with_traces(a.path)) {
		bool slash = a.path.len > 0 && a.path.data[a.path.len - 1] == '/';
		more = slash ? &TRACES_PATH[1] : TRACES_PATH;
	}
	int head = (int)(text.len - a.query.len);
	snprintf(to, size, "%.*s%s%.*s", head, text.data, more, (int)a.query.len, a.query.data);
}

void opa_address_show(opa_str text, char *to, size_t size)
{
	address a = split(text);
	snprintf(to, size, "%.*s%s%s%.*s%.*s%s", (int)a.scheme.len, a.scheme.data,
		a.scheme.len > 0 ? "://" : "", a.user.len > 0 ? OPA_REDACTED "@" : "", (int)a.host.len,
		a.host.data, (int)a.path.len, a.path.data, a.query.len > 0 ? "?" OPA_REDACTED : "");
}

/* ---- headers ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static opa_str trim(opa_str text)
{
	while (text.len > 0 && is_blank(text.data[0])) {
		text = from(text, 1);
	}
	while (text.len > 0 && is_blank(text.data[text.len - 1])) {
		text.len--;
	}
	return text;
}

/* RFC 9110, 5.6.2: a token. */
static bool is_token(opa_str text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		if (!is_letter(c) && !is_digit(c) && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL)) {
			return false;
		}
	}
	return text.len > 0;
}

bool opa_extra_header_next(opa_str *list, opa_extra_header *header)
{
	for (;;) {
		size_t len = find_any(*list, ",");
		opa_str member = trim(up_to(*list, len));
		if (member.len > 0) {
			const char *equal = memchr(member.data, '=', member.len);
			if (equal == NULL) {
				return false;
			}
			size_t name = (size_t)(equal - member.data);
			*header = (opa_extra_header){trim(up_to(member, name)), trim(from(member, name + 1))};
		}
		bool last = len == list->len;
		*list = last ? from(*list, len) : from(*list, len + 1);
		if (member.len > 0) {
			return true;
		}
		if (last) {
			return false;
		}
	}
}

static int hex_value(char c)
{
	if (is_digit(c)) {
		return c - '0';
	}
	if (c >= 'A' && c <= 'F') {
		return c - 'A' + 10;
	}
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The character at *at, which moves behind it. */
static char decode_one(opa_str text, size_t *at)
{
	size_t i = *at;
	if (text.data[i] == '%' && text.len - i > 2 && hex_value(text.data[i + 1]) >= 0 &&
		hex_value(text.data[i + 2]) >= 0) {
		*at += 3;
		return (char)(hex_value(text.data[i + 1]) * 16 + hex_value(text.data[i + 2]));
	}
	(*at)++;
	return text.data[i];
}

size_t opa_extra_header_decode(opa_str value, char *to)
{
	size_t len = 0;
	for (size_t at = 0; at < value.len;) {
		to[len++] = decode_one(value, &at);
	}
	return len;
}

/* A line break in a value would begin another header. */
static bool is_value(opa_str value)
{
	for (size_t at = 0; at < value.len;) {
		unsigned char c = (unsigned char)decode_one(value, &at);
		if ((c < ' ' && c != '\t') || c == 0x7f) {
			return false;
		}
	}
	return true;
}

bool opa_headers_are_valid(opa_str list)
{
	opa_extra_header header;
	unsigned count = 0;
	if (list.len > OPA_HEADERS_MAX) {
		return false;
	}
	while (opa_extra_header_next(&list, &header)) {
		if (!is_token(header.name) || !is_value(header.value) || ++count > OPA_HEADERS_COUNT_MAX) {
			return false;
		}
	}
	return list.len == 0;
}

void opa_headers_show(opa_str list, char *to, size_t size)
{
	opa_extra_header header;
	size_t n = 0;
	to[0] = '\0';
	while (n < size && opa_extra_header_next(&list, &header)) {
		n += (size_t)snprintf(to + n, size - n, "%s%.*s=" OPA_REDACTED, n > 0 ? "," : "",
			(int)header.name.len, header.name.data);
	}
}
