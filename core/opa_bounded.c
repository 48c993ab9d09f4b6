#include "opa_bounded.h"
#include "opa_alloc.h"
#include "opa_utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void opa_bounded_init(opa_bounded *text, size_t max)
{
	memset(text, 0, sizeof(*text));
	text->max = max;
}

void opa_bounded_deinit(opa_bounded *text)
{
	opa_free(text->data);
	opa_bounded_init(text, text->max);
}

static bool make_room(opa_bounded *text, size_t more)
{
	if (text->len + more <= text->capacity) {
		return true;
	}
	size_t capacity = text->capacity == 0 ? 512 : text->capacity * 2;
	while (capacity < text->len + more) {
		capacity *= 2;
	}
	char *data = opa_realloc(text->data, capacity);
	if (data == NULL) {
		return false;
	}
	text->data = data;
	text->capacity = capacity;
	return true;
}

void opa_bounded_add(opa_bounded *text, const char *data, size_t len)
{
	if (text->cut || len == 0) {
		return;
	}
	if (len > text->max - text->len) {
		len = opa_utf8_cut(data, len, text->max - text->len);
		text->cut = true;
	}
	if (len == 0) {
		return;
	}
	if (!make_room(text, len)) {
		text->cut = true;
		return;
	}
	memcpy(text->data + text->len, data, len);
	text->len += len;
}

void opa_bounded_add_text(opa_bounded *text, const char *terminated)
{
	opa_bounded_add(text, terminated, strlen(terminated));
}

void opa_bounded_printf(opa_bounded *text, const char *format, ...)
{
	char line[256];
	va_list args;
	va_start(args, format);
	int len = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (len > 0) {
		opa_bounded_add(text, line, (size_t)len < sizeof(line) ? (size_t)len : sizeof(line) - 1);
	}
}
