/*
 * What must not leave: values whose key, or query parameters whose name, is on a list of patterns.
 * A pattern is a name, the case of ASCII letters does not matter; `*` stands for any run of
 * characters.
 */
#ifndef OPA_REDACT_H
#define OPA_REDACT_H

#include "opa_base.h"

#define OPA_REDACTED "REDACTED"

typedef struct opa_redact opa_redact;

/* From "a,*b*,c". NULL when memory is short. An empty list matches nothing. */
opa_redact *opa_redact_create(opa_str patterns);
void opa_redact_destroy(opa_redact *redact);

/*
 * Whether the key is on the list. Linear in its length times the number of patterns; callers that
 * ask for the same keys again and again keep the answers in an opa_redact_memo.
 */
bool opa_redact_matches(const opa_redact *redact, opa_str key);

/* Answers for keys seen before: a table of fixed size for one thread. Zeroed memory is empty. */
#define OPA_REDACT_MEMO_SLOTS 128
#define OPA_REDACT_MEMO_KEY   46

typedef struct opa_redact_memo {
	const opa_redact *redact; /* whose answers these are */
	struct {
		uint8_t len; /* 0: free */
		uint8_t answer;
		char key[OPA_REDACT_MEMO_KEY];
	} slots[OPA_REDACT_MEMO_SLOTS];
} opa_redact_memo;

/* The same as opa_redact_matches, faster the second time. */
bool opa_redact_asks(opa_redact_memo *memo, const opa_redact *redact, opa_str key);

/*
 * A URL's query ("a=1&token=x") with the values of listed parameters replaced. Names are compared
 * percent-decoded, whole and key by key where they are PHP's arrays ("user[password]=x"); one may
 * follow a `;`, but a value ends at `&` only. `to` has room for opa_redact_query_bound(len) bytes
 * and is not the query itself; answers how many were written.
 */
size_t opa_redact_query_bound(size_t len);
size_t opa_redact_query(const opa_redact *redact, opa_str query, char *to);

#endif
