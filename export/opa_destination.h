/*
 * A destination as <spool>/dest/<id> defines it (docs/internals-spool.md). In opa-exporter alone.
 */
#ifndef OPA_DESTINATION_H
#define OPA_DESTINATION_H

#include "../core/opa_address.h"

typedef enum opa_destination_type {
	OPA_DESTINATION_STORE,
	OPA_DESTINATION_COLLECTOR,
	OPA_DESTINATION_UNKNOWN, /* of another version of opa */
} opa_destination_type;

/* Texts are NULL where the key is absent or empty, and live as long as the destination. */
typedef struct opa_destination {
	opa_destination_type type;
	const char *type_name; /* as it stands there; "" when it does not */
	/* of a store */
	const char *path;
	const char *state_dir;
	const char *home;
	const char *group;
	uint64_t max_size; /* bytes; 0: no bound */
	uint64_t max_age;  /* seconds; 0: no bound */
	/* of a collector */
	const char *endpoint; /* the URL that is posted to, or unix:///path */
	const char *proxy;
	const char *ca_file;
	const char *cert_file;
	const char *key_file;
	const char *headers[OPA_HEADERS_COUNT_MAX]; /* "name: value" */
	size_t header_count;
	uint64_t batch_size;  /* bytes */
	uint64_t batch_spans; /* 0: no bound */
	unsigned timeout;     /* milliseconds */
	unsigned linger;      /* milliseconds */
	bool gzip;
	/* of both */
	unsigned shutdown_timeout; /* milliseconds */
	char *text;                /* owned: what the pointers point into */
} opa_destination;

#define OPA_DESTINATION_TIMEOUT_MS         5000 /* shutdown_timeout, where it is not given */
#define OPA_DESTINATION_REQUEST_TIMEOUT_MS 10000
#define OPA_DESTINATION_LINGER_MS          1000
#define OPA_DESTINATION_BATCH_SIZE         (512u * 1024)
#define OPA_DESTINATION_TEXT_MAX           65536

/*
 * Reads a definition. Keys that are not known are passed over; a number that is none leaves the
 * default. False when memory is short: *destination is then empty.
 */
bool opa_destination_parse(opa_destination *destination, opa_str text);

/* Frees; an empty one is left alone. */
void opa_destination_deinit(opa_destination *destination);

#endif
