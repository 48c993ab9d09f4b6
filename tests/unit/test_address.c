/* Where traces are sent: URLs and headers, as people write them and as they are shown. */
#include "support.h"

#include "core/opa_address.h"

static void an_endpoint_is_a_url_of_http_or_a_socket(void **state)
{
	(void)state;
	static const char *const good[] = {"http://localhost:4318", "https://collector.example.com",
		"HTTPS://a-b.c_d:1/x/y?z=1&u", "http://10.0.0.1:65535/", "http://[::1]:4318/v1/traces",
		"http://[fe80::1%25eth0]", "https://name:pass%40word@host/otlp", "http://h?key=a@b/c",
		"unix:///run/otel.sock", "UNIX:///x"};
	static const char *const bad[] = {"", "collector:4318", "localhost", "grpc://collector:4317",
		"http://", "http:///v1/traces", "http://host:0", "http://host:65536",
		"http://host:", "http://host:4318x", "http://ho st", "http://host/a b", "http://host/#part",
		"http://[::1", "http://[]", "http://::1", "http://h\"x", "http://h\nx", "unix://x",
		"unix:///", "unix://host/run/otel.sock", "unix:/run/otel.sock", "http://user@", "://host",
		"http://gr\xC3\xBC\xC3\x9F.example"};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (!opa_address_is_endpoint(str(good[i]))) {
			fail_msg("refused: %s", good[i]);
		}
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (opa_address_is_endpoint(str(bad[i]))) {
			fail_msg("accepted: %s", bad[i]);
		}
	}
	char text[OPA_ADDRESS_MAX + 1];
	memset(text, 'x', sizeof(text));
	memcpy(text, "http://h/", 9);
	assert_true(opa_address_is_endpoint((opa_str){text, OPA_ADDRESS_MAX - 1}));
	assert_false(opa_address_is_endpoint((opa_str){text, OPA_ADDRESS_MAX}));
	memcpy(text, "unix:///", 8);
	assert_true(opa_address_is_endpoint((opa_str){text, 7 + 107}));
	assert_false(opa_address_is_endpoint((opa_str){text, 7 + 108}));
}

static void a_proxy_is_a_host_with_a_scheme_or_without(void **state)
{
	(void)state;
	static const char *const good[] = {"proxy:3128", "http://proxy.example.com:3128/", "proxy",
		"https://u:p@proxy:443", "socks5h://127.0.0.1:1080", "socks4a://x", "http://[::1]:3128"};
	static const char *const bad[] = {"", "ftp://proxy", "http://", "http://proxy/path",
		"http://proxy:x", "pro xy", "http://proxy?a", "http://proxy/?a", "unix:///x"};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (!opa_address_is_proxy(str(good[i]))) {
			fail_msg("refused: %s", good[i]);
		}
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (opa_address_is_proxy(str(bad[i]))) {
			fail_msg("accepted: %s", bad[i]);
		}
	}
}

static void a_base_gets_the_path_of_traces(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		opa_address_kind kind;
		const char *url;
	} cases[] = {
		{"http://c:4318", OPA_ADDRESS_BASE, "http://c:4318/v1/traces"},
		{"http://c:4318/", OPA_ADDRESS_BASE, "http://c:4318/v1/traces"},
		{"http://c/otlp", OPA_ADDRESS_BASE, "http://c/otlp/v1/traces"},
		{"http://c/otlp/", OPA_ADDRESS_BASE, "http://c/otlp/v1/traces"},
		{"http://c/v1/traces", OPA_ADDRESS_BASE, "http://c/v1/traces/v1/traces"},
		{"http://c?key=1/2", OPA_ADDRESS_BASE, "http://c/v1/traces?key=1/2"},
		{"http://c:4318", OPA_ADDRESS_EITHER, "http://c:4318/v1/traces"},
		{"http://c/otlp", OPA_ADDRESS_EITHER, "http://c/otlp/v1/traces"},
		{"http://c/v1/traces", OPA_ADDRESS_EITHER, "http://c/v1/traces"},
		{"http://c/api/v1/traces?a=b", OPA_ADDRESS_EITHER, "http://c/api/v1/traces?a=b"},
		{"http://c/xv1/traces", OPA_ADDRESS_EITHER, "http://c/xv1/traces/v1/traces"},
		{"http://c", OPA_ADDRESS_AS_IT_IS, "http://c/"},
		{"http://u:p@c?a=b", OPA_ADDRESS_AS_IT_IS, "http://u:p@c/?a=b"},
		{"http://c/", OPA_ADDRESS_AS_IT_IS, "http://c/"},
		{"http://c/own", OPA_ADDRESS_AS_IT_IS, "http://c/own"},
		{"unix:///run/c.sock", OPA_ADDRESS_BASE, "unix:///run/c.sock"},
		{"unix:///run/c.sock", OPA_ADDRESS_AS_IT_IS, "unix:///run/c.sock"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char url[OPA_ADDRESS_MAX + 16];
		opa_address_complete(str(cases[i].text), cases[i].kind, url);
		assert_string_equal(url, cases[i].url);
	}
}

static void a_socket_has_a_path(void **state)
{
	(void)state;
	const char *path = NULL;
	assert_true(opa_address_is_socket("unix:///run/c.sock", &path));
	assert_string_equal(path, "/run/c.sock");
	assert_true(opa_address_is_socket("Unix:///x", NULL));
	assert_false(opa_address_is_socket("http://unix:///x", NULL));
	assert_false(opa_address_is_socket("unix://", NULL));
	assert_false(opa_address_is_socket("", NULL));
}

static void people_are_shown_no_credentials(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{"http://c:4318/v1/traces", "http://c:4318/v1/traces"},
		{"https://name:secret@c/x", "https://REDACTED@c/x"},
		{"https://na@me:secret@c/x", "https://REDACTED@c/x"},
		{"https://c/x?api-key=secret", "https://c/x?REDACTED"},
		{"https://c?secret@x", "https://c?REDACTED"},
		{"u:secret@proxy:3128", "REDACTED@proxy:3128"},
		{"unix:///run/c.sock", "unix:///run/c.sock"},
		{"", ""},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char shown[64];
		opa_address_show(str(cases[i][0]), shown, sizeof(shown));
		assert_string_equal(shown, cases[i][1]);
	}
	char small[8];
	opa_address_show(str("https://name:secret@c"), small, sizeof(small));
	assert_string_equal(small, "https:/");
}

/* ---- headers ---- */

static void headers_are_a_list_with_encoded_values(void **state)
{
	(void)state;
	static const char *const names[] = {"api-key", "X-Scope", "empty", "authorization"};
	static const char *const values[] = {"a=b", "x, y;z", "", "Basic QTpC=="};
	opa_str list =
		str(" api-key = a=b ,, X-Scope=x%2C%20y;z,\tempty=,authorization=Basic%20QTpC==,");
	assert_true(opa_headers_are_valid(list));
	opa_extra_header header;
	for (size_t i = 0; i < 4; i++) {
		char value[64];
		assert_true(opa_extra_header_next(&list, &header));
		assert_int_equal(header.name.len, strlen(names[i]));
		assert_memory_equal(header.name.data, names[i], header.name.len);
		size_t len = opa_extra_header_decode(header.value, value);
		assert_int_equal(len, strlen(values[i]));
		assert_memory_equal(value, values[i], len);
	}
	assert_false(opa_extra_header_next(&list, &header));
	assert_int_equal(list.len, 0);
}

static void a_header_that_would_break_the_request_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"nothing", "a=b,nothing", "=x", " =x", "a b=c", "a:=c",
		"a=b%0d%0aHost: evil", "a=b%0A", "a=%00", "a=\x7f", "gr\xC3\xBC=x", "a=b\nc", "a,b=c"};
	static const char *const good[] = {
		"", ",", "a=b", "a=gr%C3%BC", "a=%", "a=%zz", "a=100%25", "a=x\ty", "a=gr\xC3\xBC"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (opa_headers_are_valid(str(bad[i]))) {
			fail_msg("accepted: %s", bad[i]);
		}
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (!opa_headers_are_valid(str(good[i]))) {
			fail_msg("refused: %s", good[i]);
		}
	}
}

static void a_list_of_headers_has_its_bounds(void **state)
{
	(void)state;
	static char list[OPA_HEADERS_MAX + 2];
	size_t len = 0;
	for (unsigned i = 0; i < OPA_HEADERS_COUNT_MAX; i++) {
		len += (size_t)snprintf(list + len, sizeof(list) - len, "h%u=1,", i);
	}
	assert_true(opa_headers_are_valid(str(list)));
	snprintf(list + len, sizeof(list) - len, "more=1");
	assert_false(opa_headers_are_valid(str(list)));
	memset(list, 'v', sizeof(list));
	memcpy(list, "name=", 5);
	assert_true(opa_headers_are_valid((opa_str){list, OPA_HEADERS_MAX}));
	assert_false(opa_headers_are_valid((opa_str){list, OPA_HEADERS_MAX + 1}));
}

static void of_headers_people_are_shown_the_names(void **state)
{
	(void)state;
	char shown[64];
	opa_headers_show(str("api-key=secret, b = more%20secret ,c="), shown, sizeof(shown));
	assert_string_equal(shown, "api-key=REDACTED,b=REDACTED,c=REDACTED");
	opa_headers_show(str(""), shown, sizeof(shown));
	assert_string_equal(shown, "");
	char small[12];
	opa_headers_show(str("api-key=secret,b=secret"), small, sizeof(small));
	assert_string_equal(small, "api-key=RED");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_endpoint_is_a_url_of_http_or_a_socket),
		cmocka_unit_test(a_proxy_is_a_host_with_a_scheme_or_without),
		cmocka_unit_test(a_base_gets_the_path_of_traces),
		cmocka_unit_test(a_socket_has_a_path),
		cmocka_unit_test(people_are_shown_no_credentials),
		cmocka_unit_test(headers_are_a_list_with_encoded_values),
		cmocka_unit_test(a_header_that_would_break_the_request_is_refused),
		cmocka_unit_test(a_list_of_headers_has_its_bounds),
		cmocka_unit_test(of_headers_people_are_shown_the_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
