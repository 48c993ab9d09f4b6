#include "opa_delivery.h"

#include "../core/opa_alloc.h"
#include "../core/opa_entropy.h"
#include "../core/opa_version.h"

#include <stdio.h>
#include <string.h>

#define USER_AGENT   "OTel-OTLP-Exporter-opa/" OPA_VERSION_TEXT
#define CONTENT_TYPE "application/x-protobuf"

#define REQUEST_MAX (64ull * 1024 * 1024) /* OTLP: before it is packed */
#define PARTS_MAX   64                    /* halves of halves that wait: one for each halving */

/* Rule 4: of a bundle of which so many parts were refused and none was taken. */
#define REFUSALS_MOST     32
#define REFUSALS_HOPELESS 2 /* the whole, and the first record */

#define BACKOFF_FIRST_MS 1000ull
#define BACKOFF_MOST_MS  30000ull
#define RETRY_AFTER_MOST 300ull /* seconds */

/* Records of the bundle, by number. */
typedef struct part {
	size_t from;
	size_t to;
} part;

struct opa_delivery {
	const opa_destination *destination;
	opa_http_client *client;
	opa_bundle *bundle;
	opa_settle settle;
	void *user;
	opa_text body;
	bool under_way; /* `now` has been posted */
	part now;
	part waiting[PARTS_MAX]; /* the last one is the next */
	size_t waiting_count;
	uint64_t backoff_ms;
	uint64_t pause_ms;
	unsigned refusals;   /* of parts of this bundle, with 400 or 413 */
	bool any_taken;      /* of this bundle */
	bool hopeless;       /* the last bundle was given up, and nothing has been taken since */
	opa_verdict refusal; /* the last one */
	char problem[OPA_VERDICT_MESSAGE_MAX];
};

/* ---- what an answer means ---- */

static size_t size_of(const part *p)
{
	return p->to - p->from;
}

static opa_delivered fail(opa_delivery *d, opa_delivered how, const char *problem)
{
	snprintf(d->problem, sizeof(d->problem), "%s", problem);
	d->waiting_count = 0;
	return how;
}

static opa_delivered no_memory(opa_delivery *d)
{
	return fail(d, OPA_DELIVERY_STOPPED, "out of memory");
}

/* PENDING, for its caller to go on with, unless it is told to stop. */
static opa_delivered settle(opa_delivery *d, opa_fate fate, const opa_verdict *verdict)
{
	uint64_t spans = opa_bundle_spans(d->bundle, d->now.from, d->now.to);
	opa_settlement settlement = {
		.fate = fate,
		.from = d->now.from,
		.to = d->now.to,
		.spans = spans,
		.rejected = verdict->rejected < spans ? verdict->rejected : spans,
		.message = verdict->message,
	};
	d->backoff_ms = 0;
	return d->settle(d->user, &settlement) ? OPA_DELIVERY_PENDING : no_memory(d);
}

static opa_delivered take(opa_delivery *d, const opa_verdict *verdict)
{
	d->any_taken = true;
	d->hopeless = false;
	return settle(d, OPA_FATE_TAKEN, verdict);
}

/* One half after the other. */
static opa_delivered halve(opa_delivery *d, const opa_verdict *verdict)
{
	d->refusals++;
	d->refusal = *verdict;
	if (size_of(&d->now) == 1 || d->waiting_count + 2 > PARTS_MAX) {
		return settle(d, OPA_FATE_MALFORMED, verdict);
	}
	size_t middle = d->now.from + (d->hopeless ? 1 : size_of(&d->now) / 2);
	d->waiting[d->waiting_count++] = (part){middle, d->now.to};
	d->waiting[d->waiting_count++] = (part){d->now.from, middle};
	return OPA_DELIVERY_PENDING;
}

/* Between a half and the whole of it, so that hosts do not come back all at once. */
static uint64_t jitter(uint64_t ms)
{
	uint64_t random;
	opa_entropy_fill(&random, sizeof(random));
	return ms / 2 + random % (ms / 2 + 1);
}

static opa_delivered put_off(opa_delivery *d, const opa_verdict *verdict)
{
	uint64_t asked =
		verdict->retry_after < RETRY_AFTER_MOST ? verdict->retry_after : RETRY_AFTER_MOST;
	uint64_t next = d->backoff_ms == 0 ? BACKOFF_FIRST_MS : 2 * d->backoff_ms;
	d->backoff_ms = next < BACKOFF_MOST_MS ? next : BACKOFF_MOST_MS;
	d->pause_ms = asked > 0 ? asked * 1000 + jitter(BACKOFF_FIRST_MS) : jitter(d->backoff_ms);
	return fail(d, OPA_DELIVERY_FAILED, verdict->message);
}

static opa_delivered act(opa_delivery *d, const opa_verdict *verdict)
{
	switch (verdict->kind) {
	case OPA_VERDICT_TAKEN:
		return take(d, verdict);
	case OPA_VERDICT_SMALLER:
		return halve(d, verdict);
	case OPA_VERDICT_REFUSED:
		return settle(d, OPA_FATE_REFUSED, verdict);
	case OPA_VERDICT_LATER:
		break;
	}
	return put_off(d, verdict);
}

/* ---- sending ---- */

static bool is_given_up(const opa_delivery *d)
{
	unsigned most = d->hopeless ? REFUSALS_HOPELESS : REFUSALS_MOST;
	return !d->any_taken && d->refusals >= most;
}

static bool is_too_large(opa_delivery *d)
{
	return opa_bundle_request_size(d->bundle, d->now.from, d->now.to) > REQUEST_MAX;
}

/* The next part. */
static opa_delivered post(opa_delivery *d)
{
	static const opa_verdict too_large = {
		.kind = OPA_VERDICT_SMALLER, .message = "it is larger than 64 MiB, OTLP's limit"};
	d->now = d->waiting[--d->waiting_count];
	if (is_given_up(d)) {
		d->hopeless = true;
		return settle(d, OPA_FATE_UNASKED, &d->refusal);
	}
	if (is_too_large(d)) {
		return halve(d, &too_large);
	}
	int level = d->destination->gzip ? OPA_DELIVERY_GZIP_LEVEL : 0;
	if (!opa_bundle_write(d->bundle, d->now.from, d->now.to, level, &d->body) ||
		!opa_http_client_post(d->client, d->body.data, d->body.len, d->destination->timeout)) {
		return no_memory(d);
	}
	d->under_way = true;
	return OPA_DELIVERY_PENDING;
}

static opa_delivered step(opa_delivery *d)
{
	if (!d->under_way) {
		return post(d);
	}
	opa_verdict verdict;
	d->under_way = false;
	opa_verdict_read(&verdict, opa_http_client_answer(d->client));
	return act(d, &verdict);
}

opa_delivered opa_delivery_go_on(opa_delivery *d)
{
	while (d->under_way || d->waiting_count > 0) {
		if (d->under_way && opa_http_client_answer(d->client) == NULL) {
			return OPA_DELIVERY_PENDING;
		}
		opa_delivered stepped = step(d);
		if (stepped != OPA_DELIVERY_PENDING) {
			return stepped;
		}
	}
	return OPA_DELIVERED;
}

void opa_delivery_start(opa_delivery *d, size_t from)
{
	size_t count = opa_bundle_count(d->bundle);
	opa_delivery_cancel(d);
	d->refusals = 0;
	d->any_taken = false;
	if (from < count) {
		d->waiting[d->waiting_count++] = (part){from, count};
	}
}

void opa_delivery_cancel(opa_delivery *d)
{
	if (d->under_way) {
		opa_http_client_cancel(d->client);
	}
	d->under_way = false;
	d->waiting_count = 0;
}

const char *opa_delivery_problem(const opa_delivery *d)
{
	return d->problem;
}

uint64_t opa_delivery_pause_ms(const opa_delivery *d)
{
	return d->pause_ms;
}

/* ---- life ---- */

opa_http_client *opa_delivery_client(opa_http *http, const opa_destination *d)
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
	return opa_http_client_create(http, &options);
}

opa_delivery *opa_delivery_create(opa_http *http, const opa_destination *destination,
	opa_bundle *bundle, opa_settle settle_records, void *user)
{
	opa_delivery *d = opa_calloc(1, sizeof(*d));
	if (d == NULL) {
		return NULL;
	}
	d->destination = destination;
	d->bundle = bundle;
	d->settle = settle_records;
	d->user = user;
	d->client = opa_delivery_client(http, destination);
	if (d->client == NULL) {
		opa_delivery_destroy(d);
		return NULL;
	}
	return d;
}

void opa_delivery_destroy(opa_delivery *d)
{
	if (d != NULL) {
		opa_http_client_destroy(d->client);
		opa_text_deinit(&d->body);
		opa_free(d);
	}
}
