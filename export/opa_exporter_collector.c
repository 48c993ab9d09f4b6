#include "opa_bundle.h"
#include "opa_exporter_internal.h"
#include "opa_positions.h"
#include "opa_rejected.h"
#include "opa_verdict.h"

#include "../core/opa_address.h"
#include "../core/opa_alloc.h"
#include "../core/opa_clock.h"
#include "../core/opa_entropy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define USER_AGENT   "OTel-OTLP-Exporter-opa/" OPA_VERSION_TEXT
#define CONTENT_TYPE "application/x-protobuf"

#define GZIP_LEVEL  1
#define REQUEST_MAX (64ull * 1024 * 1024) /* OTLP: before it is packed */
#define PARTS_MAX   64                    /* halves of halves that wait: one for each halving */

/*
 * A collector that refuses everything (it is none, say) is not asked about each record: of a batch
 * of which so many parts were refused and none was taken the rest is dropped. Of later ones the
 * first record decides, until one is taken.
 */
#define REFUSALS_MOST     32
#define REFUSALS_HOPELESS 2 /* the whole, and the first record */

#define BACKOFF_FIRST_MS 1000ull
#define BACKOFF_MOST_MS  30000ull
#define RETRY_AFTER_MOST 300ull /* seconds */
#define POLL_MS          20

/* Records of the bundle, by number. */
typedef struct part {
	size_t from;
	size_t to;
} part;

typedef struct collector {
	opa_sink sink;
	opa_exporter *exporter;
	const opa_destination *destination;
	opa_http_client *client;
	opa_positions *positions;
	opa_bundle *bundle;
	uint64_t spans; /* in the bundle */
	opa_text body;
	char name[OPA_ADDRESS_MAX]; /* the URL, for people */
	bool sending;               /* commit has begun */
	bool under_way;             /* `now` has been posted */
	part now;
	part waiting[PARTS_MAX]; /* the last one is the next */
	size_t waiting_count;
	uint64_t backoff_ms;
	unsigned refusals;   /* of parts of this batch, with 400 or 413 */
	bool any_taken;      /* of this batch */
	bool hopeless;       /* the last batch was given up, and nothing has been taken since */
	opa_verdict refusal; /* the last one */
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

/* ---- what an answer means ---- */

static size_t size_of(const part *p)
{
	return p->to - p->from;
}

/* The records of this part need not be read again. */
static bool pass(collector *c)
{
	for (size_t i = c->now.from; i < c->now.to; i++) {
		uint64_t offset;
		const char *journal = opa_bundle_journal(c->bundle, i, &offset);
		if (!opa_positions_set(c->positions, journal, offset)) {
			note(c, "out of memory");
			return false;
		}
	}
	return true;
}

static bool take(collector *c, const opa_verdict *verdict)
{
	uint64_t spans = opa_bundle_spans(c->bundle, c->now.from, c->now.to);
	uint64_t rejected = verdict->rejected < spans ? verdict->rejected : spans;
	c->backoff_ms = 0;
	c->any_taken = true;
	c->hopeless = false;
	c->sink.brought.spans += spans - rejected;
	c->sink.brought.traces += opa_bundle_traces(c->bundle, c->now.from, c->now.to);
	opa_positions_count(c->positions, OPA_COUNT_SENT, spans - rejected);
	opa_positions_count(c->positions, OPA_COUNT_REJECTED, rejected);
	if (verdict->message[0] != '\0') {
		char line[OPA_SINK_PROBLEM_MAX];
		snprintf(line, sizeof(line), "%.200s: %s", c->name, verdict->message);
		opa_exporter_warn(c->exporter, line);
	}
	return pass(c);
}

static bool lose(collector *c, const opa_verdict *verdict, const char *counter, const char *what)
{
	char text[OPA_VERDICT_MESSAGE_MAX + 64];
	snprintf(text, sizeof(text), "%s: %s", what, verdict->message);
	note(c, text);
	c->backoff_ms = 0;
	opa_positions_count(c->positions, counter, opa_bundle_spans(c->bundle, c->now.from, c->now.to));
	return pass(c);
}

/* One half after the other. A record alone is dropped, and kept for whoever looks into it. */
static bool halve(collector *c, const opa_verdict *verdict)
{
	c->refusals++;
	c->refusal = *verdict;
	if (size_of(&c->now) > 1 && c->waiting_count + 2 <= PARTS_MAX) {
		size_t middle = c->now.from + (c->hopeless ? 1 : size_of(&c->now) / 2);
		c->waiting[c->waiting_count++] = (part){middle, c->now.to};
		c->waiting[c->waiting_count++] = (part){c->now.from, middle};
		return true;
	}
	if (opa_bundle_request_size(c->bundle, c->now.from, c->now.to) <= OPA_REJECTED_SIZE &&
		opa_bundle_write(c->bundle, c->now.from, c->now.to, 0, &c->body)) {
		opa_rejected_keep(&c->exporter->spool, c->body.data, c->body.len);
	}
	return lose(c, verdict, OPA_COUNT_MALFORMED, "a record was dropped");
}

/* Between a half and the whole of it, so that hosts do not come back all at once. */
static uint64_t jitter(uint64_t ms)
{
	uint64_t random;
	opa_entropy_fill(&random, sizeof(random));
	return ms / 2 + random % (ms / 2 + 1);
}

/* False, for its caller to return: what has not been taken is read again, after a pause. */
static bool put_off(collector *c, const opa_verdict *verdict)
{
	uint64_t asked =
		verdict->retry_after < RETRY_AFTER_MOST ? verdict->retry_after : RETRY_AFTER_MOST;
	uint64_t next = c->backoff_ms == 0 ? BACKOFF_FIRST_MS : 2 * c->backoff_ms;
	c->backoff_ms = next < BACKOFF_MOST_MS ? next : BACKOFF_MOST_MS;
	c->sink.pause_ms = asked > 0 ? asked * 1000 + jitter(BACKOFF_FIRST_MS) : jitter(c->backoff_ms);
	note(c, verdict->message);
	return false;
}

static bool act(collector *c, const opa_verdict *verdict)
{
	switch (verdict->kind) {
	case OPA_VERDICT_TAKEN:
		return take(c, verdict);
	case OPA_VERDICT_SMALLER:
		return halve(c, verdict);
	case OPA_VERDICT_REFUSED:
		return lose(c, verdict, OPA_COUNT_REFUSED, "traces are dropped");
	case OPA_VERDICT_LATER:
		break;
	}
	return put_off(c, verdict);
}

/* ---- sending ---- */

static bool is_given_up(const collector *c)
{
	unsigned most = c->hopeless ? REFUSALS_HOPELESS : REFUSALS_MOST;
	return !c->any_taken && c->refusals >= most;
}

static bool is_too_large(collector *c)
{
	return opa_bundle_request_size(c->bundle, c->now.from, c->now.to) > REQUEST_MAX;
}

/* Posts the next part. False: it cannot be, or the part was too large and could not be passed. */
static bool post(collector *c)
{
	static const opa_verdict too_large = {
		.kind = OPA_VERDICT_SMALLER, .message = "it is larger than 64 MiB, OTLP's limit"};
	const opa_destination *d = c->destination;
	c->now = c->waiting[--c->waiting_count];
	if (is_given_up(c)) {
		c->hopeless = true;
		return lose(c, &c->refusal, OPA_COUNT_REFUSED, "nothing is taken, traces are dropped");
	}
	if (is_too_large(c)) {
		return halve(c, &too_large);
	}
	int level = d->gzip ? GZIP_LEVEL : 0;
	if (!opa_bundle_write(c->bundle, c->now.from, c->now.to, level, &c->body) ||
		!opa_http_client_post(c->client, c->body.data, c->body.len, d->timeout)) {
		note(c, "out of memory");
		return false;
	}
	c->under_way = true;
	return true;
}

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

static opa_commit give_up(collector *c)
{
	opa_http_client_cancel(c->client);
	c->under_way = false;
	note(c, "told to stop before it answered");
	return end(c, OPA_COMMIT_FAILED);
}

static opa_commit commit(opa_sink *sink, bool wait)
{
	collector *c = of(sink);
	if (!c->sending) {
		c->sending = true;
		c->waiting_count = 0;
		c->refusals = 0;
		c->any_taken = false;
		if (opa_bundle_count(c->bundle) > 0) {
			c->waiting[c->waiting_count++] = (part){0, opa_bundle_count(c->bundle)};
		}
	}
	while (c->under_way || c->waiting_count > 0) {
		if (!c->under_way) {
			if (!post(c)) {
				return end(c, OPA_COMMIT_FAILED);
			}
			continue;
		}
		const opa_http_answer *answer = opa_http_client_answer(c->client);
		if (answer != NULL) {
			opa_verdict verdict;
			c->under_way = false;
			opa_verdict_read(&verdict, answer);
			if (!act(c, &verdict)) {
				return end(c, OPA_COMMIT_FAILED);
			}
		} else if (!wait) {
			return OPA_COMMIT_PENDING;
		} else if (!opa_exporter_may_go_on(c->exporter)) {
			return give_up(c);
		} else {
			opa_http_wait(c->exporter->http, POLL_MS);
		}
	}
	return end(c, OPA_COMMIT_DONE);
}

static void rollback(opa_sink *sink)
{
	collector *c = of(sink);
	if (c->under_way) {
		opa_http_client_cancel(c->client);
	}
	c->under_way = c->sending = false;
	c->waiting_count = 0;
	opa_bundle_reset(c->bundle);
}

static void close_sink(opa_sink *sink)
{
	collector *c = of(sink);
	if (c->positions != NULL) {
		opa_positions_save(c->positions);
	}
	opa_http_client_destroy(c->client);
	opa_positions_close(c->positions);
	opa_bundle_destroy(c->bundle);
	opa_text_deinit(&c->body);
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

static opa_http_client *make_client(opa_exporter *exporter, const opa_destination *d)
{
	opa_http_options options = {
		.url = d->endpoint,
		.proxy = d->proxy,
		.ca_file = d->ca_file,
		.cert_file = d->cert_file,
		.key_file = d->key_file,
		.user_agent = USER_AGENT,
		.content_type = CONTENT_TYPE,
		.headers = d->headers,
		.header_count = d->header_count,
		.gzip = d->gzip,
	};
	if (exporter->http == NULL) {
		exporter->http = opa_http_create();
	}
	return exporter->http != NULL ? opa_http_client_create(exporter->http, &options) : NULL;
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
	c->client = make_client(exporter, d);
	c->positions =
		opa_positions_open(&exporter->spool, target->id, opa_exporter_has_file, exporter);
	c->bundle = opa_bundle_create();
	if (c->client == NULL || c->positions == NULL || c->bundle == NULL) {
		snprintf(problem, size,
			"%.200s: no client can be made (out of memory, or the libcurl here cannot do what the settings ask for)",
			c->name);
		close_sink(&c->sink);
		return false;
	}
	target->sink = &c->sink;
	return true;
}
