/*
 * Where traces go: what the settings say (opa_config) and the way out needs (export/).
 */
#ifndef OPA_OUTLET_H
#define OPA_OUTLET_H

#include "opa_base.h"

typedef struct opa_spool_options {
	const char *dir;         /* opa.spool_dir, or NULL: search */
	const char *runtime_dir; /* $XDG_RUNTIME_DIR, or NULL */
	uint64_t max_size;       /* bytes; 0: min(64 MiB, 1/4 of the file system, 5% of the cgroup) */
} opa_spool_options;

/* Immutable; whoever hands one out for a call keeps it alive for the call. */
typedef struct opa_outlet {
	opa_spool_options spool;
	const char *exporter;    /* path of opa-exporter, or NULL: none is started */
	const char *destination; /* the definition, as it will stand in dest/: "key=value\n" lines */
	uint64_t destination_id; /* opa_destination_id(destination) */
} opa_outlet;

/* FNV-1a (64 bit) of the text, never 0. */
uint64_t opa_destination_id(const char *definition);

/* With its texts in one block, freed with opa_free(). NULL when memory is short. */
opa_outlet *opa_outlet_copy(const opa_outlet *outlet);

#endif
