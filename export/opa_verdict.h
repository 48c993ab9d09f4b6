/*
 * What a collector's answer means for the batch that it answers (OTLP 1.x, "OTLP/HTTP Response").
 * In opa-exporter alone.
 */
#ifndef OPA_VERDICT_H
#define OPA_VERDICT_H

#include "opa_http_client.h"

typedef enum opa_verdict_kind {
	OPA_VERDICT_TAKEN,   /* it is there, but for what `rejected` says: never again */
	OPA_VERDICT_LATER,   /* the same again, after a pause */
	OPA_VERDICT_SMALLER, /* not like this: again in two parts; one record alone is dropped */
	OPA_VERDICT_REFUSED, /* never again: it is dropped */
} opa_verdict_kind;

#define OPA_VERDICT_MESSAGE_MAX 512

typedef struct opa_verdict {
	opa_verdict_kind kind;
	uint64_t rejected;    /* spans that the collector did not want of those that it took */
	uint64_t retry_after; /* seconds that it asks to wait; 0: it does not */
	char message[OPA_VERDICT_MESSAGE_MAX]; /* a line of ASCII for people; "": nothing to say */
} opa_verdict;

void opa_verdict_read(opa_verdict *verdict, const opa_http_answer *answer);

#endif
