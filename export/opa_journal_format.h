/*
 * What a journal looks like on disk. Integers are in this machine's byte order: a journal never
 * leaves its host. Writer: opa_journal.c. Reader: opa_journal_reader.c.
 *
 *   file   = header record*
 *   record = record header (48 bytes) payload (length bytes)
 *
 * A record is written by one pwrite(2) at an offset that only its owner knows. So every record that
 * the reader finds whole is right (its crc says so), and what is not whole is either not yet
 * written (a live file) or never will be (a sealed or dead one).
 */
#ifndef OPA_JOURNAL_FORMAT_H
#define OPA_JOURNAL_FORMAT_H

#include "opa_owner.h"

#define OPA_JOURNAL_MAGIC      0x4a41504fu /* "OPAJ" */
#define OPA_JOURNAL_VERSION    1
#define OPA_RECORD_MAGIC       0x5241504fu /* "OPAR" */
#define OPA_RECORD_VERSION     1
#define OPA_RECORD_HEADER_SIZE 48

/* No file grows beyond this size but by a first record that is larger: it has a file of its own. */
#define OPA_JOURNAL_SEAL_SIZE (256u * 1024)

/* A record is never larger; a length above it is damage. */
#define OPA_RECORD_MAX_SIZE (256u * 1024 * 1024)

typedef struct opa_journal_header {
	uint32_t magic;
	uint16_t version;
	uint16_t slot;        /* index into the acknowledgements of the owner's control file */
	uint64_t destination; /* names <spool>/dest/<16 hex digits> */
	uint64_t sequence;    /* the number in the file's name */
	opa_owner owner;
	uint32_t reserved;
	uint32_t crc; /* crc32c of all before it */
} opa_journal_header;

_Static_assert(sizeof(opa_journal_header) == 72, "opa_journal_header is a disk format");

typedef enum opa_record_type {
	OPA_RECORD_SPANS = 1,    /* payload: the fields of an OTLP ScopeSpans message */
	OPA_RECORD_RESOURCE = 2, /* payload: the fields of an OTLP Resource message */
} opa_record_type;

#define OPA_RECORD_COMPLETE 0x0001u /* the last piece of its trace that this process will write */
#define OPA_RECORD_ERROR    0x0002u /* a span in it has status error */

typedef struct opa_record_header {
	uint32_t magic;
	uint8_t version;
	uint8_t type;    /* opa_record_type */
	uint16_t flags;  /* OPA_RECORD_* */
	uint32_t length; /* of the payload */
	uint32_t crc;    /* crc32c of header (with this field 0) and payload, continued from the
						file header's: so bytes of a payload that look like a record are none */
	uint32_t spans;  /* how many spans the payload has; 0 for a resource */
	uint32_t reserved;
	uint64_t resource; /* the resource's own id, or the id of that which made the spans; it stands
						  earlier in the same file */
	uint8_t trace_id[16]; /* zero for a resource */
} opa_record_header;

_Static_assert(sizeof(opa_record_header) == OPA_RECORD_HEADER_SIZE, "a disk format");

#endif
