/*
 * The records of a bundle on their way to a collector: posted as one request, and after 400 or 413
 * in halves, one after the other, down to a record alone. In opa-exporter alone; one thread.
 *
 * The rules:
 * 1. What has become of records is told to `settle`, in their order, each of them once. What was
 *    told is never posted again.
 * 2. The bundle is the caller's, and stays as it is from start until the delivery is not pending
 *    any more, or was cancelled.
 * 3. What is not settled when a delivery fails is to be delivered again, after pause_ms: by another
 *    start, from the first of those records on.
 * 4. A collector that refuses everything (it is none, say) is not asked about each record: the rest
 *    of the bundle is settled as unasked; of later bundles the first record decides, until one is
 *    taken.
 */
#ifndef OPA_DELIVERY_H
#define OPA_DELIVERY_H

#include "opa_bundle.h"
#include "opa_destination.h"
#include "opa_verdict.h"

typedef enum opa_fate {
	OPA_FATE_TAKEN,
	OPA_FATE_MALFORMED, /* a record alone that was answered with 400 or 413, or is too large */
	OPA_FATE_REFUSED,   /* by another final answer */
	OPA_FATE_UNASKED,   /* rule 4; the message is that of its last refusal */
} opa_fate;

typedef struct opa_settlement {
	opa_fate fate;
	size_t from; /* records from..to of the bundle */
	size_t to;
	uint64_t spans;      /* of those records */
	uint64_t rejected;   /* of these: taken, and not wanted */
	const char *message; /* a line for people, lent; "": nothing to say */
} opa_settlement;

/* False when the delivery is to be stopped there. */
typedef bool (*opa_settle)(void *user, const opa_settlement *settlement);

typedef enum opa_delivered {
	OPA_DELIVERED,        /* every record is settled */
	OPA_DELIVERY_PENDING, /* a request is under way: opa_http_wait(), then go on */
	OPA_DELIVERY_FAILED,  /* rule 3 */
	OPA_DELIVERY_STOPPED, /* by settle, or for want of memory; there is no pause_ms */
} opa_delivered;

typedef struct opa_delivery opa_delivery;

#define OPA_DELIVERY_GZIP_LEVEL 1

/* Why there is no client or delivery, for people. */
#define OPA_DELIVERY_IMPOSSIBLE                                                                    \
	"no client can be made (out of memory, or the libcurl here cannot do what the settings ask for)"

/* A client for what a destination defines, which it outlives. NULL as opa_http_client_create(). */
opa_http_client *opa_delivery_client(opa_http *http, const opa_destination *destination);

/* NULL when memory is short, or libcurl cannot do what is asked for. All is lent for its life. */
opa_delivery *opa_delivery_create(opa_http *http, const opa_destination *destination,
	opa_bundle *bundle, opa_settle settle, void *user);

/* Cancels. NULL is allowed. */
void opa_delivery_destroy(opa_delivery *delivery);

/* The records from `from` on. Nothing is posted yet. */
void opa_delivery_start(opa_delivery *delivery, size_t from);

/* Posts, and looks for answers, as far as that goes without waiting. */
opa_delivered opa_delivery_go_on(opa_delivery *delivery);

/* Gives up what is under way. */
void opa_delivery_cancel(opa_delivery *delivery);

/* Why it failed or was stopped, for people. */
const char *opa_delivery_problem(const opa_delivery *delivery);

/* How long to wait after it has failed; longer each time, or as the collector has asked for. */
uint64_t opa_delivery_pause_ms(const opa_delivery *delivery);

#endif
