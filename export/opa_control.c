#include "opa_control.h"
#include "opa_file.h"
#include "opa_mapping.h"
#include "../core/opa_alloc.h"
#include "../core/opa_clock.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RETRY_NS   1000000000u
#define LAST_TRIES 8 /* to hand over at the end, half a millisecond apart */
#define MAP_AFTER  3 /* saves: a script of one trace, for which it would not pay, has two */

/* What the process writes, in one piece. */
typedef struct image {
	uint64_t counters[OPA_CONTROL_COUNTERS];
	uint64_t running;
} image;

_Static_assert(offsetof(opa_control_file, running) ==
				   offsetof(opa_control_file, counters) + offsetof(image, running),
	"one write");

/*
 * What is counted is in `now`, always; a file has a copy of what was not handed over: its loss
 * takes the file alone.
 */
struct opa_control {
	const opa_spool *spool; /* NULL: in memory only */
	opa_file file;
	opa_mapping mapping; /* of the file, where it is in memory */
	unsigned writes;     /* to the file, until it is mapped */
	bool changed;        /* something was counted since it was saved */
	bool left_file;      /* one that was lost sight of may still stand in the folder */
	bool handed_over;    /* something was */
	uint64_t next_try;   /* opa_clock_mono() */
	uint64_t used;
	image now;
	uint64_t handed[OPA_CONTROL_COUNTERS]; /* of these, what stands in the common file */
	char id[33];
};

#define ACKS_AT offsetof(opa_control_file, acks)

static const char *const names[] = {
#define COUNTER_NAME(id, name, text) name,
	OPA_COUNTERS(COUNTER_NAME)
#undef COUNTER_NAME
};

static const char *const texts[] = {
#define COUNTER_TEXT(id, name, text) text,
	OPA_COUNTERS(COUNTER_TEXT)
#undef COUNTER_TEXT
};

const char *opa_counter_name(opa_counter counter)
{
	return names[counter];
}

const char *opa_counter_text(opa_counter counter)
{
	return texts[counter];
}

static void close_file(opa_control *control)
{
	opa_mapping_close(&control->mapping);
	opa_file_close(&control->file);
	control->writes = 0;
}

static void name_of(const opa_control *control, char name[OPA_CONTROL_NAME_MAX])
{
	snprintf(name, OPA_CONTROL_NAME_MAX, "%s.c", control->id);
}

/* What is this file's to keep. False when that is nothing. */
static bool take_rest(const opa_control *control, uint64_t rest[OPA_CONTROL_COUNTERS])
{
	uint64_t any = 0;
	for (int i = 0; i < OPA_CONTROL_COUNTERS; i++) {
		rest[i] = control->now.counters[i] - control->handed[i];
		any |= rest[i];
	}
	return any != 0;
}

/* A file of ours that we have lost sight of (its descriptor was closed) has acknowledgements. */
static void take_acks(const opa_spool *spool, const char *name, opa_control_file *content)
{
	int fd = opa_file_open(spool, "control", name, false);
	if (fd >= 0) {
		opa_ack acks[OPA_CONTROL_ACKS];
		if (opa_file_read(fd, acks, sizeof(acks), ACKS_AT) == (long)sizeof(acks)) {
			memcpy(content->acks, acks, sizeof(acks));
		}
		close(fd);
	}
}

/* The whole file is written, not only made long: its place on the disk is had from the start. */
static bool make_file(opa_control *control)
{
	char name[OPA_CONTROL_NAME_MAX];
	opa_control_file *content = opa_calloc(1, sizeof(*content));
	if (content == NULL) {
		return false;
	}
	name_of(control, name);
	content->magic = OPA_CONTROL_MAGIC;
	content->version = OPA_CONTROL_VERSION;
	opa_owner_self(&content->owner);
	take_rest(control, content->counters);
	content->running = control->now.running;
	take_acks(control->spool, name, content);
	bool made =
		opa_file_make(control->spool, "control", name, content, sizeof(*content), &control->file);
	opa_free(content);
	return made;
}

static void try_file(opa_control *control)
{
	uint64_t now = opa_clock_mono();
	if (control->spool == NULL || control->spool->dir < 0 || now < control->next_try) {
		return;
	}
	control->next_try = now + RETRY_NS;
	opa_control_make_common(control->spool);
	if (make_file(control)) {
		control->used += OPA_CONTROL_SIZE;
		control->changed = control->left_file = false;
	}
}

opa_control *opa_control_create(const opa_spool *spool, const char *id)
{
	opa_control *control = opa_calloc(1, sizeof(*control));
	if (control == NULL) {
		return NULL;
	}
	control->file = OPA_FILE_NONE;
	control->spool = spool;
	snprintf(control->id, sizeof(control->id), "%s", id);
	try_file(control);
	return control;
}

void opa_control_attach(opa_control *control, const opa_spool *spool)
{
	close_file(control);
	control->spool = spool;
	control->left_file = false;
	control->changed = true; /* it is not known here */
	control->next_try = 0;
	try_file(control);
}

void opa_control_abandon(opa_control *control)
{
	if (control != NULL) {
		close_file(control);
		opa_free(control);
	}
}

void opa_control_add(opa_control *control, opa_counter counter, uint64_t n)
{
	control->now.counters[counter] += n;
	control->changed = true;
}

uint64_t opa_control_get(const opa_control *control, opa_counter counter)
{
	return control->now.counters[counter];
}

void opa_control_set_running(opa_control *control, uint64_t traces)
{
	control->now.running = traces;
	control->changed = true;
}

uint64_t opa_control_running(const opa_control *control)
{
	return control->now.running;
}

bool opa_control_is_durable(const opa_control *control)
{
	return control->file.fd >= 0;
}

uint64_t opa_control_usage(const opa_control *control)
{
	return control->used;
}

static bool is_intact(const opa_control *control)
{
	uint64_t size;
	return opa_file_look(&control->file, &size) == OPA_FILE_OURS && size >= OPA_CONTROL_SIZE;
}

/* A file that was cut and has grown again since raises no signal, but is none of ours any more. */
static bool is_mapping_good(const opa_control *control)
{
	const volatile opa_control_file *mapped = control->mapping.at;
	return mapped == NULL ||
		   (opa_mapping_check(&control->mapping) && mapped->magic == OPA_CONTROL_MAGIC &&
			   opa_mapping_holds(&control->mapping));
}

static void lose_file(opa_control *control)
{
	close_file(control);
	control->left_file = true;
	control->changed = true;
}

/* ---- saving ---- */

/*
 * What has ended is among the counters before it is said to run no more: who is killed in between
 * has it counted twice, not nowhere.
 */
static void write_memory(opa_mapping *mapping, const image *from)
{
	opa_control_file *to = mapping->at;
	for (int i = 0; i < OPA_COUNTER_COUNT; i++) {
		*(volatile uint64_t *)&to->counters[i] = from->counters[i];
	}
	atomic_thread_fence(memory_order_release);
	*(volatile uint64_t *)&to->running = from->running;
}

static bool write_file(opa_control *control, const image *from)
{
	if (control->spool->tmpfs && control->writes < MAP_AFTER && ++control->writes == MAP_AFTER &&
		is_intact(control)) {
		opa_mapping_open(&control->mapping, control->file.fd, OPA_CONTROL_SIZE);
	}
	if (opa_mapping_holds(&control->mapping)) {
		write_memory(&control->mapping, from);
		return opa_mapping_holds(&control->mapping);
	}
	return is_intact(control) && opa_file_may_reach(ACKS_AT) &&
		   opa_file_write(
			   control->file.fd, from, sizeof(*from), offsetof(opa_control_file, counters));
}

/* Acknowledgements are the exporter's to write. */
static bool write_own(opa_control *control)
{
	image rest;
	const image *from = &control->now;
	if (control->handed_over) {
		take_rest(control, rest.counters);
		rest.running = control->now.running;
		from = &rest;
	}
	return write_file(control, from);
}

/*
 * What a file holds that was lost sight of is handed over, and may not be counted there again; nor
 * may it say that something runs.
 */
static void remove_left_file(opa_control *control)
{
	char name[OPA_CONTROL_NAME_MAX];
	if (control->left_file && opa_spool_is_intact(control->spool)) {
		name_of(control, name);
		opa_control_remove(control->spool, name);
		control->left_file = false;
	}
}

static bool hand_over(opa_control *control, unsigned tries)
{
	uint64_t rest[OPA_CONTROL_COUNTERS];
	bool any = take_rest(control, rest);
	if (control->spool == NULL || control->spool->dir < 0) {
		return !any;
	}
	remove_left_file(control);
	if (!any) {
		return !control->left_file;
	}
	if (control->left_file || !opa_control_hand_over(control->spool, rest, tries)) {
		return false;
	}
	memcpy(control->handed, control->now.counters, sizeof(control->handed));
	control->handed_over = true;
	return true;
}

static void save(opa_control *control, unsigned tries)
{
	if (control->changed) {
		bool saved = control->file.fd >= 0 ? write_own(control) : hand_over(control, tries);
		control->changed = !saved;
	}
}

void opa_control_save(opa_control *control)
{
	save(control, 1);
}

bool opa_control_outlives(const opa_control *control)
{
	return control->file.fd >= 0 ||
		   (!control->changed && control->spool != NULL && control->spool->dir >= 0 &&
			   opa_control_make_common(control->spool));
}

void opa_control_check(opa_control *control)
{
	if (control->file.fd >= 0 && !(is_intact(control) && is_mapping_good(control))) {
		lose_file(control);
	}
	if (control->file.fd < 0) {
		try_file(control);
	}
}

void opa_control_close(opa_control *control)
{
	if (control == NULL) {
		return;
	}
	if (control->file.fd >= 0 && !(is_intact(control) && is_mapping_good(control))) {
		lose_file(control);
		control->next_try = 0;
		try_file(control);
	}
	save(control, LAST_TRIES);
	opa_control_abandon(control);
}

/*
 * The sequence is read before the offset: see opa_control_acknowledge(), which writes them the
 * other way round.
 */
opa_ack opa_control_ack(const opa_control *control, uint16_t slot)
{
	opa_ack ack = {0, 0};
	if (slot >= OPA_CONTROL_ACKS || !is_intact(control)) {
		return ack;
	}
	uint64_t at = ACKS_AT + slot * sizeof(ack);
	if (opa_file_read(control->file.fd, &ack.sequence, 8, at) != 8 ||
		opa_file_read(control->file.fd, &ack.offset, 8, at + 8) != 8) {
		return (opa_ack){0, 0};
	}
	return ack;
}
