/*
 * The size of the spool, as all processes that use it know it together: <spool>/usage, one small
 * record. What counts is what the files of live/, sealed/ and control/ take on the disk.
 *
 * The processes keep an account: each adds what it has written, once a second, when it leaves, and
 * as soon as that is a thousandth of what the spool may take: two hundred of them that begin to
 * write at once go a fifth beyond it, not as far as they come in a second. While an exporter serves
 * the spool, it measures and writes the sum every second. Otherwise what processes cannot know (one
 * was killed before it added, somebody removed files) a walk through the folders finds out. They
 * take it together: whoever comes first in a second reads the next OPA_USAGE_STEP entries and notes
 * in the record where the next one goes on. So no request reads more than that, however many files
 * there are; a spool with fewer is measured whole each second, one with 16,000 in a minute, in
 * which the account holds.
 *
 * Who writes holds the record's lock (flock(2)) and never waits for it: who cannot have it adds
 * later what he has to add. A disk that is full leaves the record as it is, in the place that it
 * has.
 *
 * No function prints, and none needs the publisher's lock.
 */
#ifndef OPA_USAGE_H
#define OPA_USAGE_H

#include "opa_spool.h"

#define OPA_USAGE_STEP 256

#define OPA_USAGE_MAGIC   0x5541504fu /* "OPAU" */
#define OPA_USAGE_VERSION 1

/* Times are of the wall clock, in nanoseconds. One of the future (the clock was set back) is old.
 */
typedef struct opa_usage_record {
	uint32_t magic;
	uint16_t version;
	uint16_t folder;   /* where the walk is */
	uint64_t place;    /* and where in it, as the file system counts; 0: at its beginning */
	uint64_t bytes;    /* the spool's size */
	uint64_t measured; /* when an exporter did; 0: never */
	uint64_t stepped;  /* when the walk went on the last time */
	uint64_t found;    /* by this walk */
	uint64_t added;    /* to the account since this walk began */
} opa_usage_record;

_Static_assert(sizeof(opa_usage_record) == 56, "a disk format");

/*
 * Enters *written bytes into the account and sets it to 0; leaves it as it is where that cannot be
 * done now. Answers the spool's size, with what was not entered. Takes the next step of the walk if
 * it is due.
 */
uint64_t opa_usage_report(const opa_spool *spool, uint64_t *written);

/* For the exporter: measures all of it, writes that into the record and answers it. */
uint64_t opa_usage_measure(const opa_spool *spool);

/* What a file of that size takes: whole blocks of 4096 bytes. */
OPA_INLINE uint64_t opa_usage_of_file(uint64_t size)
{
	return (size + 4095) & ~(uint64_t)4095;
}

#endif
