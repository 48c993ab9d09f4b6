/* Any bytes as a collector's URL and as its headers: what is accepted keeps within its bounds. */
#include "core/opa_address.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool condition)
{
	if (!condition) {
		abort();
	}
}

static void try_url(opa_str text)
{
	char url[OPA_ADDRESS_MAX + 16], shown[64];
	opa_address_show(text, shown, sizeof(shown));
	check(strlen(shown) < sizeof(shown));
	opa_address_is_proxy(text);
	for (int kind = 0; opa_address_is_endpoint(text) && kind <= OPA_ADDRESS_AS_IT_IS; kind++) {
		opa_address_complete(text, (opa_address_kind)kind, url);
		check(strlen(url) >= text.len && strpbrk(url, " \r\n\"") == NULL);
		check(opa_address_is_endpoint((opa_str){url, strlen(url)}) || text.len > 2000);
	}
}

static void try_headers(opa_str list)
{
	char shown[64], value[1024];
	opa_extra_header header;
	bool valid = opa_headers_are_valid(list);
	opa_headers_show(list, shown, sizeof(shown));
	check(strlen(shown) < sizeof(shown));
	while (opa_extra_header_next(&list, &header)) {
		check(header.value.len <= sizeof(value));
		size_t len = opa_extra_header_decode(header.value, value);
		check(len <= header.value.len);
		check(!valid || (memchr(value, '\n', len) == NULL && memchr(value, '\0', len) == NULL));
	}
	check(!valid || list.len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size <= 1024) {
		try_url((opa_str){(const char *)data, size});
		try_headers((opa_str){(const char *)data, size});
	}
	return 0;
}
