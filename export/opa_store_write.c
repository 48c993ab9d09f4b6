#include "opa_store_internal.h"

#include "../core/opa_clock.h"

#include <string.h>

enum {
	SCOPE_SPANS_SPAN = 2,
	RESOURCE_ATTRIBUTE = 1,
};

#define FLAG_REMOTE   0x200u
#define COUNT_DAMAGED "exporter_spans_undecodable"

/* What the row of a trace shows of one span: its root, or the earliest while there is none. */
typedef struct head {
	bool found;
	bool has_parent;
	char id[OPA_SPAN_ID_HEX];
	opa_str name;    /* as raw as in the record, or in the store's name buffer */
	opa_str service; /* so, too, or in the message buffer */
	int64_t start;
	int64_t duration;
	unsigned status;
} head;

/* What one record adds to its trace. */
typedef struct piece {
	char trace_id[OPA_TRACE_ID_HEX];
	uint64_t resource;
	opa_str service;
	uint32_t decoded;
	uint32_t spans; /* new ones */
	uint32_t errors;
	int64_t start;
	int64_t end;
	head first; /* the earliest of them */
	head top;   /* the best of those without a parent */
	head entry; /* one whose parent is of another process */
	char entry_parent[OPA_SPAN_ID_HEX];
	uint32_t entries; /* how many of those */
} piece;

/* ---- the span's row ---- */

static void bind_optional(sqlite3_stmt *statement, int index, opa_str string)
{
	opa_store_bind_text(statement, index, string.len > 0 ? string.data : NULL, string.len);
}

static int64_t duration_of(const opa_stored_span *s)
{
	return s->end > s->start ? s->end - s->start : 0;
}

/* *is_new: the store did not have it. */
static bool insert_span(opa_store *store, const piece *p, const opa_stored_span *s, bool *is_new)
{
	sqlite3_stmt *add = opa_store_statement(store, OPA_STATEMENT_SPAN_ADD);
	if (add == NULL) {
		return false;
	}
	opa_store_bind_text(add, 1, p->trace_id, OPA_TRACE_ID_HEX);
	opa_store_bind_text(add, 2, s->id, OPA_SPAN_ID_HEX);
	opa_store_bind_text(add, 3, s->has_parent ? s->parent : NULL, OPA_SPAN_ID_HEX);
	sqlite3_bind_int(add, 4, (s->flags & FLAG_REMOTE) != 0);
	opa_store_bind_text(add, 5, s->name.data, s->name.len);
	sqlite3_bind_int(add, 6, (int)s->kind);
	sqlite3_bind_int64(add, 7, s->start);
	sqlite3_bind_int64(add, 8, duration_of(s));
	sqlite3_bind_int(add, 9, (int)s->status);
	bind_optional(add, 10, s->message);
	sqlite3_bind_int64(add, 11, s->flags);
	bind_optional(add, 12, s->trace_state);
	opa_store_bind_text(add, 13, store->attributes.data, store->attributes.len);
	bind_optional(add, 14, (opa_str){store->events.data, store->events.len});
	bind_optional(add, 15, (opa_str){store->links.data, store->links.len});
	sqlite3_bind_int64(add, 16, (int64_t)s->dropped_attributes);
	sqlite3_bind_int64(add, 17, (int64_t)s->dropped_events);
	sqlite3_bind_int64(add, 18, (int64_t)s->dropped_links);
	sqlite3_bind_int64(add, 19, (int64_t)p->resource);
	if (!opa_store_run(store, add)) {
		return false;
	}
	*is_new = sqlite3_changes(store->db) == 1;
	return true;
}

/* ---- the record ---- */

static head head_of(const opa_stored_span *s, opa_str service)
{
	head h = {.found = true,
		.has_parent = s->has_parent,
		.name = s->raw_name,
		.service = service,
		.start = s->start,
		.duration = duration_of(s),
		.status = s->status};
	memcpy(h.id, s->id, OPA_SPAN_ID_HEX);
	return h;
}

/* The order in which spans are preferred, the same whatever order they come in. */
static bool comes_before(const head *a, const head *b)
{
	if (!b->found || a->has_parent != b->has_parent) {
		return !b->found || !a->has_parent;
	}
	return a->start != b->start ? a->start < b->start : memcmp(a->id, b->id, OPA_SPAN_ID_HEX) < 0;
}

static bool starts_before(const head *a, const head *b)
{
	if (!b->found || a->start != b->start) {
		return !b->found || a->start < b->start;
	}
	return memcmp(a->id, b->id, OPA_SPAN_ID_HEX) < 0;
}

static void note_span(piece *p, const opa_stored_span *s)
{
	head h = head_of(s, p->service);
	if (p->spans == 0 || s->start < p->start) {
		p->start = s->start;
	}
	if (p->spans == 0 || s->start + duration_of(s) > p->end) {
		p->end = s->start + duration_of(s);
	}
	p->spans++;
	p->errors += s->status == OPA_STATUS_ERROR;
	if (starts_before(&h, &p->first)) {
		p->first = h;
	}
	if (!s->has_parent && comes_before(&h, &p->top)) {
		p->top = h;
	}
	if (s->has_parent && (s->flags & FLAG_REMOTE)) {
		p->entry = h;
		memcpy(p->entry_parent, s->parent, OPA_SPAN_ID_HEX);
		p->entries++;
	}
}

static bool add_span(opa_store *store, piece *p, opa_str message, const uint8_t *trace_id)
{
	opa_stored_span s;
	bool is_new;
	opa_decoded decoded = opa_store_decode(store, &s, message, trace_id);
	if (decoded != OPA_DECODED) {
		return decoded == OPA_DECODED_DAMAGED;
	}
	if (!insert_span(store, p, &s, &is_new)) {
		return false;
	}
	p->decoded++;
	if (is_new) {
		note_span(p, &s);
	}
	return true;
}

static bool add_spans(opa_store *store, piece *p, const opa_record_view *record, uint32_t *seen)
{
	opa_wire_reader reader;
	opa_wire_field field;
	opa_wire_init(&reader, (opa_str){(const char *)record->payload, record->header.length});
	while (opa_wire_next(&reader, &field)) {
		if (field.number != SCOPE_SPANS_SPAN || field.type != OPA_WIRE_BYTES) {
			continue;
		}
		++*seen;
		if (!add_span(store, p, field.bytes, record->header.trace_id)) {
			return false;
		}
	}
	return true;
}

/* ---- the trace's row ---- */

/* The row as it is. */
typedef struct standing {
	bool exists;
	bool has_root;
	char root[OPA_SPAN_ID_HEX];
	int64_t start;
	int64_t end;
	int64_t spans;
	int64_t errors;
} standing;

static bool get_trace(opa_store *store, const piece *p, standing *row)
{
	sqlite3_stmt *get = opa_store_statement(store, OPA_STATEMENT_TRACE_GET);
	*row = (standing){0};
	if (get == NULL) {
		return false;
	}
	opa_store_bind_text(get, 1, p->trace_id, OPA_TRACE_ID_HEX);
	int result = opa_store_step(store, get);
	if (result == SQLITE_ROW) {
		row->exists = true;
		row->has_root = sqlite3_column_bytes(get, 0) == OPA_SPAN_ID_HEX;
		if (row->has_root) {
			memcpy(row->root, sqlite3_column_text(get, 0), OPA_SPAN_ID_HEX);
		}
		row->start = sqlite3_column_int64(get, 1);
		row->end = sqlite3_column_int64(get, 2);
		row->spans = sqlite3_column_int64(get, 3);
		row->errors = sqlite3_column_int64(get, 4);
	}
	sqlite3_reset(get);
	return result == SQLITE_ROW || result == SQLITE_DONE;
}

static opa_str keep_column(sqlite3_stmt *statement, int column, opa_text *buffer)
{
	const char *data = (const char *)sqlite3_column_text(statement, column);
	size_t len = (size_t)sqlite3_column_bytes(statement, column);
	opa_text_reset(buffer);
	opa_text_append(buffer, data != NULL ? data : "", data != NULL ? len : 0);
	return (opa_str){buffer->data != NULL ? buffer->data : "", buffer->len};
}

/* One of the queries that answer a head; span_id may be NULL where it does not ask for one. */
static bool find_head(
	opa_store *store, opa_statement which, const piece *p, const char *span_id, head *found)
{
	sqlite3_stmt *find = opa_store_statement(store, which);
	*found = (head){0};
	if (find == NULL) {
		return false;
	}
	opa_store_bind_text(find, 1, p->trace_id, OPA_TRACE_ID_HEX);
	if (span_id != NULL) {
		opa_store_bind_text(find, 2, span_id, OPA_SPAN_ID_HEX);
	}
	int result = opa_store_step(store, find);
	if (result == SQLITE_ROW && sqlite3_column_bytes(find, 0) == OPA_SPAN_ID_HEX) {
		found->found = true;
		memcpy(found->id, sqlite3_column_text(find, 0), OPA_SPAN_ID_HEX);
		found->has_parent = sqlite3_column_int(find, 1) != 0;
		found->name = keep_column(find, 2, &store->name);
		found->service = keep_column(find, 3, &store->message);
		found->status = (unsigned)sqlite3_column_int(find, 4);
		found->start = sqlite3_column_int64(find, 5);
		found->duration = sqlite3_column_int64(find, 6);
	}
	sqlite3_reset(find);
	return result == SQLITE_ROW || result == SQLITE_DONE;
}

static bool has_span(opa_store *store, const piece *p, const char *span_id, bool *has)
{
	sqlite3_stmt *exists = opa_store_statement(store, OPA_STATEMENT_SPAN_EXISTS);
	*has = false;
	if (exists == NULL) {
		return false;
	}
	opa_store_bind_text(exists, 1, p->trace_id, OPA_TRACE_ID_HEX);
	opa_store_bind_text(exists, 2, span_id, OPA_SPAN_ID_HEX);
	int result = opa_store_step(store, exists);
	*has = result == SQLITE_ROW;
	sqlite3_reset(exists);
	return result == SQLITE_ROW || result == SQLITE_DONE;
}

/* The best root among the new spans. The queries cost more; they are for several at once. */
static bool choose_new_root(opa_store *store, const piece *p, head *root)
{
	*root = p->top;
	if (root->found || p->entries == 0) {
		return true;
	}
	if (p->entries > 1) {
		return find_head(store, OPA_STATEMENT_ROOT_FIND, p, NULL, root);
	}
	bool has_parent;
	if (!has_span(store, p, p->entry_parent, &has_parent)) {
		return false;
	}
	if (!has_parent) {
		*root = p->entry;
	}
	return true;
}

/*
 * The trace's root after the new spans. The one that the row has stays unless a better one came,
 * or unless its parent did: then it is no root any more, and the next best is looked for among all.
 * *changed: the row has to be told. A trace whose root has gone and that has no other is told, too.
 */
static bool settle_root(
	opa_store *store, const piece *p, const standing *row, head *root, bool *changed)
{
	head old = {0};
	*changed = false;
	*root = (head){0};
	if (row->has_root) {
		if (!find_head(store, OPA_STATEMENT_ROOT_STANDING, p, row->root, &old)) {
			return false;
		}
		if (!old.found) {
			*changed = true;
			return find_head(store, OPA_STATEMENT_ROOT_FIND, p, NULL, root);
		}
	}
	if (!choose_new_root(store, p, root)) {
		return false;
	}
	*changed = root->found && comes_before(root, &old) &&
			   (!old.found || memcmp(root->id, old.id, OPA_SPAN_ID_HEX) != 0);
	return true;
}

/* While there is no root the row shows the earliest span. */
static bool settle_first(opa_store *store, const piece *p, const standing *row, bool root_gone,
	head *first, bool *changed)
{
	*first = p->first;
	*changed = true;
	if (root_gone || (row->exists && row->start == p->first.start)) {
		return find_head(store, OPA_STATEMENT_FIRST_FIND, p, NULL, first);
	}
	*changed = !row->exists || p->first.start < row->start;
	return true;
}

/* What the trace's row shows of its spans: NULLs in the statement leave a column as it is. */
static void bind_head(sqlite3_stmt *statement, const head *shown, bool is_root, int64_t length)
{
	opa_store_bind_text(statement, 3, shown->name.data, shown->name.len);
	opa_store_bind_text(statement, 4, shown->service.data, shown->service.len);
	sqlite3_bind_int64(statement, 7, is_root ? shown->duration : length);
	sqlite3_bind_int(statement, 8, is_root ? (int)shown->status : 0);
}

static bool write_trace(opa_store *store, const piece *p, const standing *row, const head *shown,
	bool is_root, bool changed, bool complete)
{
	sqlite3_stmt *write = opa_store_statement(
		store, row->exists ? OPA_STATEMENT_TRACE_CHANGE : OPA_STATEMENT_TRACE_ADD);
	if (write == NULL) {
		return false;
	}
	int64_t start = row->exists && row->start < p->start ? row->start : p->start;
	int64_t end = row->exists && row->end > p->end ? row->end : p->end;
	bool keeps_root = !changed && row->has_root;
	const char *root = is_root ? shown->id : keeps_root ? row->root : NULL;
	sqlite3_clear_bindings(write);
	opa_store_bind_text(write, 1, p->trace_id, OPA_TRACE_ID_HEX);
	opa_store_bind_text(write, 2, root, OPA_SPAN_ID_HEX);
	if (changed) {
		bind_head(write, shown, is_root, end - start);
	} else if (!keeps_root) {
		sqlite3_bind_int64(write, 7, end - start);
	}
	sqlite3_bind_int64(write, 5, start);
	sqlite3_bind_int64(write, 6, end);
	sqlite3_bind_int64(write, 9, row->spans + p->spans);
	sqlite3_bind_int64(write, 10, row->errors + p->errors);
	sqlite3_bind_int(write, 11, complete);
	sqlite3_bind_int64(write, 12, opa_store_clamp(opa_clock_wall()));
	return opa_store_run(store, write);
}

static bool update_trace(opa_store *store, const piece *p, bool complete)
{
	standing row;
	head shown;
	bool changed;
	if (!get_trace(store, p, &row) || !settle_root(store, p, &row, &shown, &changed)) {
		return false;
	}
	bool is_root = changed && shown.found;
	if (!is_root && (changed || !row.has_root) &&
		!settle_first(store, p, &row, changed, &shown, &changed)) {
		return false;
	}
	opa_store_repair(&shown.name, &store->name);
	opa_store_repair(&shown.service, &store->message);
	if (store->name.failed || store->message.failed) {
		memcpy(store->problem, "out of memory", sizeof("out of memory"));
		return false;
	}
	return write_trace(store, p, &row, &shown, is_root, changed, complete);
}

/* ---- resources ---- */

static opa_str find_service(opa_str resource_fields)
{
	opa_wire_reader reader;
	opa_wire_field field;
	opa_str key, value, service = {"", 0};
	const opa_str wanted = OPA_STR("service.name");
	opa_wire_init(&reader, resource_fields);
	while (opa_wire_next(&reader, &field)) {
		if (field.number == RESOURCE_ATTRIBUTE && field.type == OPA_WIRE_BYTES &&
			opa_otlp_key_value(field.bytes, &key, &value) && key.len == wanted.len &&
			memcmp(key.data, wanted.data, key.len) == 0) {
			service = opa_otlp_any_string(value);
		}
	}
	return service;
}

static bool add_resource(opa_store *store, const piece *p, opa_str fields)
{
	opa_wire_reader reader;
	opa_wire_field field;
	opa_str service = p->service;
	sqlite3_stmt *add = opa_store_statement(store, OPA_STATEMENT_RESOURCE_ADD);
	if (add == NULL) {
		return false;
	}
	opa_text_reset(&store->attributes);
	opa_text_append(&store->attributes, "{", 1);
	opa_wire_init(&reader, fields);
	while (opa_wire_next(&reader, &field)) {
		if (field.number == RESOURCE_ATTRIBUTE && field.type == OPA_WIRE_BYTES) {
			opa_json_key_value(&store->attributes, field.bytes);
		}
	}
	opa_text_append(&store->attributes, "}", 1);
	opa_store_repair(&service, &store->message);
	if (store->attributes.failed || store->message.failed) {
		memcpy(store->problem, "out of memory", sizeof("out of memory"));
		return false;
	}
	sqlite3_bind_int64(add, 1, (int64_t)p->resource);
	opa_store_bind_text(add, 2, service.data, service.len);
	opa_store_bind_text(add, 3, store->attributes.data, store->attributes.len);
	sqlite3_bind_int64(add, 4, p->spans);
	return opa_store_run(store, add);
}

/* The row of the process that made the spans; it counts them, so that it goes with the last. */
static bool use_resource(opa_store *store, const piece *p, opa_str fields)
{
	sqlite3_stmt *use = opa_store_statement(store, OPA_STATEMENT_RESOURCE_USE);
	if (use == NULL) {
		return false;
	}
	sqlite3_bind_int64(use, 1, (int64_t)p->resource);
	sqlite3_bind_int64(use, 2, p->spans);
	return opa_store_run(store, use) &&
		   (sqlite3_changes(store->db) == 1 || add_resource(store, p, fields));
}

/* ---- the door ---- */

static void forget_failures(opa_store *store)
{
	store->name.failed = store->message.failed = store->trace_state.failed = false;
}

/* A piece that brought nothing new may still say that it was the last. */
static bool complete_trace(opa_store *store, const piece *p)
{
	sqlite3_stmt *complete = opa_store_statement(store, OPA_STATEMENT_TRACE_COMPLETE);
	if (complete == NULL) {
		return false;
	}
	opa_store_bind_text(complete, 1, p->trace_id, OPA_TRACE_ID_HEX);
	return opa_store_run(store, complete);
}

static bool add(opa_store *store, piece *p, const opa_record_view *record, opa_str resource_fields)
{
	bool complete = (record->header.flags & OPA_RECORD_COMPLETE) != 0;
	uint32_t seen = 0;
	if (!add_spans(store, p, record, &seen)) {
		return false;
	}
	uint32_t expected = seen > record->header.spans ? seen : record->header.spans;
	if (expected > p->decoded && !opa_store_count(store, COUNT_DAMAGED, expected - p->decoded)) {
		return false;
	}
	if (p->spans == 0) {
		return !complete || complete_trace(store, p);
	}
	return use_resource(store, p, resource_fields) && update_trace(store, p, complete);
}

bool opa_store_add(
	opa_store *store, const opa_record_view *record, opa_str resource_fields, uint32_t *added)
{
	piece p = {.resource = record->header.resource, .service = find_service(resource_fields)};
	opa_hex_format(record->header.trace_id, OPA_TRACE_ID_LEN, p.trace_id);
	forget_failures(store);
	bool ok = add(store, &p, record, resource_fields);
	*added = ok ? p.spans : 0;
	if (!ok) {
		opa_store_rollback(store);
	}
	return ok;
}
