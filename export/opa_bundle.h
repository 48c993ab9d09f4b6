/*
 * Records of spans on their way to a collector: gathered as the journals have them, and written as
 * one OTLP ExportTraceServiceRequest, or several for parts of them. In opa-exporter alone; one
 * thread.
 *
 * The request has one ResourceSpans for each resource, and in it one ScopeSpans for each record,
 * whose bytes are the record's as they are.
 */
#ifndef OPA_BUNDLE_H
#define OPA_BUNDLE_H

#include "opa_otlp_read.h"

typedef struct opa_bundle opa_bundle;

/* A record, lent for the call. */
typedef struct opa_bundle_item {
	opa_str scope_spans; /* the fields of an OTLP ScopeSpans message */
	opa_str resource;    /* the fields of an OTLP Resource message */
	uint64_t resource_id;
	uint32_t spans;
	bool complete;       /* the last piece of its trace */
	const char *journal; /* where it came from; the name is copied */
	uint64_t offset;     /* behind it in the journal */
} opa_bundle_item;

/* NULL when memory is short. */
opa_bundle *opa_bundle_create(void);
void opa_bundle_destroy(opa_bundle *bundle);

/* False when memory is short: the bundle is then as it was. */
bool opa_bundle_add(opa_bundle *bundle, const opa_bundle_item *item);

/* Empty again. Memory is kept, unless it is a lot. */
void opa_bundle_reset(opa_bundle *bundle);

/* Records are numbered from 0 in the order in which they were added. */
size_t opa_bundle_count(const opa_bundle *bundle);

/* Bytes of all of it as a request, approximately and never too few. */
uint64_t opa_bundle_size(const opa_bundle *bundle);

/* Spans of the records from `from` up to `to`, and how many of those traces are complete. */
uint64_t opa_bundle_spans(const opa_bundle *bundle, size_t from, size_t to);
uint64_t opa_bundle_traces(const opa_bundle *bundle, size_t from, size_t to);

/* Where a record came from. The name is valid until the bundle is reset. */
const char *opa_bundle_journal(const opa_bundle *bundle, size_t number, uint64_t *offset);

/* Bytes of the request of the records from `from` up to `to`: exactly. */
uint64_t opa_bundle_request_size(opa_bundle *bundle, size_t from, size_t to);

/*
 * Writes that request into *request (whose memory is used again). level 0: as it is; 1 to 9: packed
 * by gzip. False when memory is short.
 */
bool opa_bundle_write(opa_bundle *bundle, size_t from, size_t to, int level, opa_text *request);

#endif
