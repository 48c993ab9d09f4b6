/*
 * A destination as <spool>/dest/<id> defines it (docs/internals-spool.md). In opa-exporter alone.
 */
#ifndef OPA_DESTINATION_H
#define OPA_DESTINATION_H

#include "../core/opa_base.h"

typedef enum opa_destination_type {
	OPA_DESTINATION_STORE,
	OPA_DESTINATION_UNKNOWN, /* of another version of opa */
} opa_destination_type;

/* Texts are NULL where the key is absent or empty, and live as long as the destination. */
typedef struct opa_destination {
	opa_destination_type type;
	const char *type_name; /* as it stands there; "" when it does not */
	const char *path;
	const char *state_dir;
	const char *home;
	const char *group;
	uint64_t max_size;         /* bytes; 0: no bound */
	uint64_t max_age;          /* seconds; 0: no bound */
	unsigned shutdown_timeout; /* milliseconds */
	char *text;                /* owned: what the pointers point into */
} opa_destination;

#define OPA_DESTINATION_TIMEOUT_MS 5000
#define OPA_DESTINATION_TEXT_MAX   65536

/*
 * Reads a definition. Keys that are not known are passed over; a number that is none leaves the
 * default. False when memory is short: *destination is then empty.
 */
bool opa_destination_parse(opa_destination *destination, opa_str text);

/* Frees; an empty one is left alone. */
void opa_destination_deinit(opa_destination *destination);

#endif
