#include "opa_delivery.h"
#include "opa_exporter_internal.h"
#include "opa_positions.h"
#include "opa_rejected.h"

#include "../core/opa_address.h"
#include "../core/opa_alloc.h"
#include "../core/opa_clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define POLL_MS 20

typedef struct collector {
	opa_sink sink;
	opa_exporter *exporter;
	const opa_destination *destination;
	opa_delivery *delivery;
	opa_positions *positions;
	opa_bundle *bundle;
	uint64_t spans;             /* in the bundle */
	char name[OPA_ADDRESS_MAX]; /* the URL, for people */
	bool sending;               /* commit has begun */
} collector;

static collector *of(opa_sink *sink)
{
	return (collector *)sink;
}

static void note(collector *c, const char *text)
{
	snprintf(c->sink.problem, sizeof(c->sink.problem), "%.200s: %s", c->name, text);
}

/* ---- gathering ---- */

static bool position(opa_sink *sink, const char *journal, uint64_t *offset)
{
	*offset = opa_positions_get(of(sink)->positions, journal);
	return true;
}

static bool begin(opa_sink *sink)
{
	opa_bundle_reset(of(sink)->bundle);
	of(sink)->spans = 0;
	sink->problem[0] = '\0';
	sink->pause_ms = 0;
	sink->brought.spans = sink->brought.traces = 0;
	return true;
}

static opa_added add(opa_sink *sink, const opa_arrival *arrival)
{
	collector *c = of(sink);
	const opa_record_header *header = &arrival->record->header;
	opa_bundle_item item = {
		.scope_spans = {(const char *)arrival->record->payload, header->length},
		.resource = arrival->resource,
		.resource_id = header->resource,
		.spans = header->spans,
		.complete = (header->flags & OPA_RECORD_COMPLETE) != 0,
		.journal = arrival->journal,
		.offset = arrival->offset,
	};
	if (!opa_bundle_add(c->bundle, &item)) {
		note(c, "out of memory");
		return OPA_ADD_FAILED;
	}
	c->spans += header->spans;
	uint64_t most = c->destination->batch_spans;
	bool full =
		opa_bundle_size(c->bundle) >= c->destination->batch_size || (most > 0 && c->spans >= most);
	return full ? OPA_ADDED_FULL : OPA_ADDED;
}

static bool count(opa_sink *sink, const char *counter, uint64_t n)
{
	opa_positions_count(of(sink)->positions, counter, n);
	return true;
}

static bool drop(opa_sink *sink, const char *journal)
{
	opa_positions_drop(of(sink)->positions, journal);
	return true;
}

/* ---- what becomes of records ---- */

/* They need not be read again. */
static bool pass(collector *c, const opa_settlement *s)
{
	for (size_t i = s->from; i < s->to; i++) {
		uint64_t offset;
		const char *journal = opa_bundle_journal(c->bundle, i, &offset);
		if (!opa_positions_set(c->positions, journal, offset)) {
			return false;
		}
	}
	return true;
}

static void take(collector *c, const opa_settlement *s)
{
	c->sink.brought.spans += s->spans - s->rejected;
	c->sink.brought.traces += opa_bundle_traces(c->bundle, s->from, s->to);
	opa_positions_count(c->positions, OPA_COUNT_SENT, s->spans - s->rejected);
	opa_positions_count(c->positions, OPA_COUNT_REJECTED, s->rejected);
	if (s->message[0] != '\0') {
		char line[OPA_SINK_PROBLEM_MAX];
		snprintf(line, sizeof(line), "%.200s: %s", c->name, s->message);
		opa_exporter_warn(c->exporter, line);
	}
}

static void lose(collector *c, const opa_settlement *s, const char *counter, const char *what)
{
	char text[OPA_VERDICT_MESSAGE_MAX + 64];
	snprintf(text, sizeof(text), "%s: %s", what, s->message);
	note(c, text);
	opa_positions_count(c->positions, counter, s->spans);
}

/* For whoever looks into it. */
static void keep(collector *c, const opa_settlement *s)
{
	opa_text request = {0};
	if (opa_bundle_request_size(c->bundle, s->from, s->to) <= OPA_REJECTED_SIZE &&
		opa_bundle_write(c->bundle, s->from, s->to, 0, &request)) {
		opa_rejected_keep(&c->exporter->spool, request.data, request.len);
	}
	opa_text_deinit(&request);
}

static bool settle(void *user, const opa_settlement *s)
{
	collector *c = user;
	switch (s->fate) {
	case OPA_FATE_TAKEN:
		take(c, s);
		break;
	case OPA_FATE_MALFORMED:
		keep(c, s);
		lose(c, s, OPA_COUNT_MALFORMED, "a record was dropped");
		break;
	case OPA_FATE_REFUSED:
		lose(c, s, OPA_COUNT_REFUSED, "traces are dropped");
		break;
	case OPA_FATE_UNASKED:
		lose(c, s, OPA_COUNT_REFUSED, "nothing is taken, traces are dropped");
		break;
	}
	return pass(c, s);
}

/* ---- sending ---- */

/* What was found out is kept, however the batch ends. A disk that is full only costs repetitions.
 */
static opa_commit end(collector *c, opa_commit commit)
{
	if (!opa_positions_save(c->positions)) {
		char line[OPA_EXPORTER_PROBLEM_MAX];
		snprintf(line, sizeof(line), "cannot note what was sent in %s/dest: %s",
			c->exporter->spool.path, strerror(errno));
		opa_exporter_warn(c->exporter, line);
	}
	c->sending = false;
	return commit;
}

/* What has not been taken is read again, after a pause. */
static opa_commit put_off(collector *c, opa_delivered how)
{
	c->sink.pause_ms = how == OPA_DELIVERY_FAILED ? opa_delivery_pause_ms(c->delivery) : 0;
	note(c, opa_delivery_problem(c->delivery));
	return end(c, OPA_COMMIT_FAILED);
}

static opa_commit give_up(collector *c)
{
	opa_delivery_cancel(c->delivery);
	note(c, "told to stop before it answered");
	return end(c, OPA_COMMIT_FAILED);
}

static opa_commit commit(opa_sink *sink, bool wait)
{
	collector *c = of(sink);
	if (!c->sending) {
		c->sending = true;
		opa_delivery_start(c->delivery, 0);
	}
	opa_delivered how = opa_delivery_go_on(c->delivery);
	while (how == OPA_DELIVERY_PENDING && wait) {
		if (!opa_exporter_may_go_on(c->exporter)) {
			return give_up(c);
		}
		opa_http_wait(c->exporter->http, POLL_MS);
		how = opa_delivery_go_on(c->delivery);
	}
	if (how == OPA_DELIVERY_PENDING) {
		return OPA_COMMIT_PENDING;
	}
	return how == OPA_DELIVERED ? end(c, OPA_COMMIT_DONE) : put_off(c, how);
}

static void rollback(opa_sink *sink)
{
	collector *c = of(sink);
	opa_delivery_cancel(c->delivery);
	c->sending = false;
	opa_bundle_reset(c->bundle);
}

static void close_sink(opa_sink *sink)
{
	collector *c = of(sink);
	if (c->positions != NULL) {
		opa_positions_save(c->positions);
	}
	opa_delivery_destroy(c->delivery);
	opa_positions_close(c->positions);
	opa_bundle_destroy(c->bundle);
	opa_free(c);
}

static const opa_sink_type type = {
	.position = position,
	.begin = begin,
	.add = add,
	.count = count,
	.drop = drop,
	.commit = commit,
	.rollback = rollback,
	.close = close_sink,
};

/* ---- opening ---- */

static bool make_delivery(collector *c)
{
	opa_exporter *exporter = c->exporter;
	if (exporter->http == NULL) {
		exporter->http = opa_http_create();
	}
	c->bundle = opa_bundle_create();
	if (exporter->http != NULL && c->bundle != NULL) {
		c->delivery = opa_delivery_create(exporter->http, c->destination, c->bundle, settle, c);
	}
	return c->delivery != NULL;
}

bool opa_exporter_open_collector(
	opa_exporter *exporter, opa_target *target, char *problem, size_t size)
{
	const opa_destination *d = &target->definition;
	if (d->endpoint == NULL) {
		snprintf(problem, size, "traces wait for a collector, but its definition has no endpoint");
		return false;
	}
	collector *c = opa_calloc(1, sizeof(*c));
	if (c == NULL) {
		snprintf(problem, size, "out of memory");
		return false;
	}
	c->sink.type = &type;
	c->sink.linger = d->linger * OPA_MS_NS;
	c->exporter = exporter;
	c->destination = d;
	opa_address_show((opa_str){d->endpoint, strlen(d->endpoint)}, c->name, sizeof(c->name));
	c->positions =
		opa_positions_open(&exporter->spool, target->id, opa_exporter_has_file, exporter);
	if (!make_delivery(c) || c->positions == NULL) {
		snprintf(problem, size, "%.200s: " OPA_DELIVERY_IMPOSSIBLE, c->name);
		close_sink(&c->sink);
		return false;
	}
	target->sink = &c->sink;
	return true;
}
