#include "opa_bundle.h"
#include "opa_journal_reader.h"

#include "../core/opa_alloc.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

/* TracesData.resource_spans, ResourceSpans.resource and .scope_spans: length-delimited fields. */
#define TAG_RESOURCE_SPANS 0x0a
#define TAG_RESOURCE       0x0a
#define TAG_SCOPE_SPANS    0x12

#define HEAD_MAX    11 /* bytes of a tag and a length */
#define NONE        UINT32_MAX
#define BUFFER_KEEP (4u * 1024 * 1024)
#define PACK_STEP   (64u * 1024)
#define GZIP        16 /* added to the window's bits: with gzip's header and trailer */
#define WINDOW_BITS 15
#define MEMORY      8 /* zlib's own default */

typedef struct entry {
	size_t at; /* of its bytes in the bundle's data */
	size_t len;
	uint64_t offset;
	uint32_t journal;
	uint32_t spans;
	uint32_t next; /* of the same resource; NONE: the last */
	bool complete;
} entry;

typedef struct resource {
	uint64_t id;
	size_t at;
	size_t len;
	uint32_t first;
	uint32_t last;
} resource;

/* A growing array. */
typedef struct list {
	void *items;
	size_t count;
	size_t capacity;
} list;

struct opa_bundle {
	opa_text data;
	list entries;
	list resources;
	list journals; /* opa_journal_name */
	uint64_t size;
};

/* ---- arrays ---- */

static void *grow(list *l, size_t item)
{
	if (l->count == l->capacity) {
		size_t capacity = l->capacity == 0 ? 64 : 2 * l->capacity;
		void *items = opa_realloc(l->items, capacity * item);
		if (items == NULL) {
			return NULL;
		}
		l->items = items;
		l->capacity = capacity;
	}
	return (char *)l->items + l->count * item;
}

static entry *entry_at(const opa_bundle *bundle, size_t number)
{
	return (entry *)bundle->entries.items + number;
}

static resource *resource_at(const opa_bundle *bundle, size_t number)
{
	return (resource *)bundle->resources.items + number;
}

/* ---- gathering ---- */

opa_bundle *opa_bundle_create(void)
{
	return opa_calloc(1, sizeof(opa_bundle));
}

static void empty(list *l)
{
	opa_free(l->items);
	*l = (list){0};
}

void opa_bundle_destroy(opa_bundle *bundle)
{
	if (bundle != NULL) {
		opa_text_deinit(&bundle->data);
		empty(&bundle->entries);
		empty(&bundle->resources);
		empty(&bundle->journals);
		opa_free(bundle);
	}
}

void opa_bundle_reset(opa_bundle *bundle)
{
	if (bundle->data.capacity > BUFFER_KEEP) {
		opa_text_deinit(&bundle->data);
	}
	opa_text_reset(&bundle->data);
	bundle->entries.count = bundle->resources.count = bundle->journals.count = 0;
	bundle->size = 0;
}

/* Copies bytes behind the others; *at is where. */
static bool keep(opa_bundle *bundle, opa_str bytes, size_t *at)
{
	*at = bundle->data.len;
	opa_text_append(&bundle->data, bytes.data, bytes.len);
	bool kept = !bundle->data.failed;
	if (!kept) {
		bundle->data.failed = false;
		bundle->data.len = *at;
	}
	return kept;
}

/* From the last one back: records of one resource come one after the other. */
static resource *find_resource(const opa_bundle *bundle, const opa_bundle_item *item)
{
	for (size_t i = bundle->resources.count; i > 0; i--) {
		resource *r = resource_at(bundle, i - 1);
		if (r->id == item->resource_id && r->len == item->resource.len &&
			(r->len == 0 || memcmp(bundle->data.data + r->at, item->resource.data, r->len) == 0)) {
			return r;
		}
	}
	return NULL;
}

static resource *get_resource(opa_bundle *bundle, const opa_bundle_item *item)
{
	size_t at;
	resource *r = find_resource(bundle, item);
	if (r != NULL) {
		return r;
	}
	r = grow(&bundle->resources, sizeof(*r));
	if (r == NULL || !keep(bundle, item->resource, &at)) {
		return NULL;
	}
	*r = (resource){item->resource_id, at, item->resource.len, NONE, NONE};
	bundle->resources.count++;
	bundle->size += r->len + 2 * HEAD_MAX;
	return r;
}

static bool get_journal(opa_bundle *bundle, const char *name, uint32_t *number)
{
	opa_journal_name *names = bundle->journals.items;
	for (size_t i = bundle->journals.count; i > 0; i--) {
		if (strcmp(names[i - 1], name) == 0) {
			*number = (uint32_t)(i - 1);
			return true;
		}
	}
	opa_journal_name *to = grow(&bundle->journals, sizeof(*to));
	if (to == NULL) {
		return false;
	}
	snprintf(*to, sizeof(*to), "%s", name);
	*number = (uint32_t)bundle->journals.count++;
	return true;
}

/* A resource that nothing refers to, left by a failure, is not written. */
bool opa_bundle_add(opa_bundle *bundle, const opa_bundle_item *item)
{
	size_t at;
	uint32_t journal;
	resource *r = get_resource(bundle, item);
	entry *e = r != NULL ? grow(&bundle->entries, sizeof(*e)) : NULL;
	if (e == NULL || !get_journal(bundle, item->journal, &journal) ||
		!keep(bundle, item->scope_spans, &at)) {
		return false;
	}
	*e = (entry){
		at, item->scope_spans.len, item->offset, journal, item->spans, NONE, item->complete};
	uint32_t number = (uint32_t)bundle->entries.count++;
	if (r->first == NONE) {
		r->first = number;
	} else {
		entry_at(bundle, r->last)->next = number;
	}
	r->last = number;
	bundle->size += e->len + HEAD_MAX;
	return true;
}

size_t opa_bundle_count(const opa_bundle *bundle)
{
	return bundle->entries.count;
}

uint64_t opa_bundle_size(const opa_bundle *bundle)
{
	return bundle->size;
}

uint64_t opa_bundle_spans(const opa_bundle *bundle, size_t from, size_t to)
{
	uint64_t spans = 0;
	for (size_t i = from; i < to; i++) {
		spans += entry_at(bundle, i)->spans;
	}
	return spans;
}

uint64_t opa_bundle_traces(const opa_bundle *bundle, size_t from, size_t to)
{
	uint64_t traces = 0;
	for (size_t i = from; i < to; i++) {
		traces += entry_at(bundle, i)->complete;
	}
	return traces;
}

const char *opa_bundle_journal(const opa_bundle *bundle, size_t number, uint64_t *offset)
{
	const entry *e = entry_at(bundle, number);
	const opa_journal_name *names = bundle->journals.items;
	*offset = e->offset;
	return names[e->journal];
}

/* ---- writing ---- */

static size_t varint_size(uint64_t value)
{
	size_t size = 1;
	for (; value > 0x7f; value >>= 7) {
		size++;
	}
	return size;
}

static uint64_t field_size(uint64_t len)
{
	return 1 + varint_size(len) + len;
}

/* Its ScopeSpans among those records; 0: it has none of them. */
static uint64_t scopes_size(const opa_bundle *bundle, const resource *r, size_t from, size_t to)
{
	uint64_t size = 0;
	for (uint32_t i = r->first; i != NONE && i < to; i = entry_at(bundle, i)->next) {
		size += i >= from ? field_size(entry_at(bundle, i)->len) : 0;
	}
	return size;
}

uint64_t opa_bundle_request_size(opa_bundle *bundle, size_t from, size_t to)
{
	uint64_t size = 0;
	for (size_t i = 0; i < bundle->resources.count; i++) {
		const resource *r = resource_at(bundle, i);
		uint64_t scopes = scopes_size(bundle, r, from, to);
		size += scopes > 0 ? field_size(field_size(r->len) + scopes) : 0;
	}
	return size;
}

typedef struct output {
	opa_text *text;
	z_stream *stream; /* NULL: nothing is packed */
} output;

/* Room for at least `more` bytes behind the text. */
static bool reserve(opa_text *text, size_t more)
{
	if (text->capacity - text->len < more) {
		size_t capacity =
			2 * text->capacity > text->len + more ? 2 * text->capacity : text->len + more;
		char *data = opa_realloc(text->data, capacity);
		if (data == NULL) {
			text->failed = true;
			return false;
		}
		text->data = data;
		text->capacity = capacity;
	}
	return true;
}

static void pack(output *out, const void *data, size_t len, int flush)
{
	z_stream *z = out->stream;
	opa_text *text = out->text;
	int result = Z_OK;
	z->next_in = (Bytef *)(uintptr_t)data;
	z->avail_in = (uInt)len; /* a record has 256 MiB at most */
	do {
		if (text->failed || !reserve(text, PACK_STEP)) {
			return;
		}
		z->next_out = (Bytef *)text->data + text->len;
		z->avail_out = PACK_STEP;
		result = deflate(z, flush);
		text->len += PACK_STEP - z->avail_out;
	} while (z->avail_in > 0 || (flush == Z_FINISH && result == Z_OK));
}

static void put(output *out, const void *data, size_t len)
{
	if (out->stream != NULL) {
		pack(out, data, len, Z_NO_FLUSH);
	} else {
		opa_text_append(out->text, data, len);
	}
}

static void put_head(output *out, uint8_t tag, uint64_t len)
{
	uint8_t head[HEAD_MAX] = {tag};
	size_t n = 1;
	for (; len > 0x7f; len >>= 7) {
		head[n++] = (uint8_t)(len | 0x80);
	}
	head[n++] = (uint8_t)len;
	put(out, head, n);
}

static void put_resource(
	const opa_bundle *bundle, const resource *r, size_t from, size_t to, output *out)
{
	uint64_t scopes = scopes_size(bundle, r, from, to);
	if (scopes == 0) {
		return;
	}
	put_head(out, TAG_RESOURCE_SPANS, field_size(r->len) + scopes);
	put_head(out, TAG_RESOURCE, r->len);
	put(out, bundle->data.data + r->at, r->len);
	for (uint32_t i = r->first; i != NONE && i < to; i = entry_at(bundle, i)->next) {
		const entry *e = entry_at(bundle, i);
		if (i >= from) {
			put_head(out, TAG_SCOPE_SPANS, e->len);
			put(out, bundle->data.data + e->at, e->len);
		}
	}
}

static void *zlib_alloc(void *opaque, unsigned count, unsigned size)
{
	(void)opaque;
	return opa_calloc(count, size);
}

static void zlib_free(void *opaque, void *block)
{
	(void)opaque;
	opa_free(block);
}

bool opa_bundle_write(opa_bundle *bundle, size_t from, size_t to, int level, opa_text *request)
{
	z_stream z = {.zalloc = zlib_alloc, .zfree = zlib_free};
	output out = {.text = request, .stream = level > 0 ? &z : NULL};
	if (request->capacity > BUFFER_KEEP) {
		opa_text_deinit(request);
	}
	opa_text_reset(request);
	if (level > 0 && deflateInit2(&z, level, Z_DEFLATED, WINDOW_BITS + GZIP, MEMORY,
						 Z_DEFAULT_STRATEGY) != Z_OK) {
		return false;
	}
	for (size_t i = 0; i < bundle->resources.count; i++) {
		put_resource(bundle, resource_at(bundle, i), from, to, &out);
	}
	if (level > 0) {
		pack(&out, "", 0, Z_FINISH);
		deflateEnd(&z);
	}
	return !request->failed;
}
