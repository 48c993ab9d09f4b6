/*
 * The reading of attributes in wire form, on any bytes: a block that gets them must stay whole, and
 * nothing may be read or written beyond them.
 */
#include "core/opa_block.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The parsing of one attribute that claims to be longer than what is left. */
static void check_len(const uint8_t *data, size_t size)
{
	size_t len = opa_attribute_len(data, size);
	if (len > size || (len > 0 && len < 2)) {
		abort();
	}
}

/* As opa_span_set_attributes() does it, with a limit. */
static void set_all(opa_block *block, const uint8_t *p, size_t left)
{
	size_t len, old_len;
	while (left > 0 && (len = opa_attribute_len(p, left)) > 0) {
		long at = opa_block_find(block, p, len, &old_len);
		if (at >= 0 && (size_t)at + old_len > block->len) {
			abort();
		}
		if (at >= 0) {
			opa_block_replace(block, (size_t)at, old_len, p, len);
		} else if (block->attributes < 16) {
			opa_block_append(block, p, len);
			block->attributes++;
		}
		p += len;
		left -= len;
	}
}

static void check_encoded(const opa_block *block)
{
	opa_block_context context = {.trace_id = {1}};
	size_t bound = opa_block_bound(block, &context);
	uint8_t *exact = malloc(bound);
	if (exact == NULL) {
		return;
	}
	opa_writer w = {exact + bound};
	opa_block_encode(block, &context, block->start, NULL, 0, &w);
	if (w.pos < exact) {
		abort();
	}
	free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	opa_block_pool pool = {.limit = 0};
	opa_block *block = opa_block_take(&pool);
	if (block == NULL) {
		return 0;
	}
	block->id = 0xa000000000000001u;
	block->parent = OPA_NO_SPAN;
	block->start = 1;
	block->kind = 1;
	check_len(data, size);
	size_t name_len = size > 0 ? data[0] % 32 : 0;
	name_len = name_len < size ? name_len : size;
	opa_block_set_name(block, (opa_str){(const char *)data, name_len});
	set_all(block, data + name_len, size - name_len);
	set_all(block, data, size);
	opa_block_set_name(block, (opa_str){(const char *)data, size});
	if (block->name_field != opa_name_field_len((opa_str){NULL, size}) || block->len < size) {
		abort();
	}
	check_encoded(block);
	opa_block_give(&pool, block);
	return 0;
}
