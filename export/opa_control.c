#include "opa_control.h"
#include "opa_file.h"
#include "../core/opa_alloc.h"
#include "../core/opa_clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RETRY_NS 1000000000u

/* What is counted is in `counters`, always; a file has a copy: its loss takes the file alone. */
struct opa_control {
	const opa_spool *spool; /* NULL: in memory only */
	opa_file file;
	bool changed;      /* something was counted since it was saved */
	uint64_t next_try; /* opa_clock_mono() */
	uint64_t used;
	uint64_t counters[OPA_CONTROL_COUNTERS];
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
	char name[48];
	opa_control_file *content = opa_calloc(1, sizeof(*content));
	if (content == NULL) {
		return false;
	}
	snprintf(name, sizeof(name), "%s.c", control->id);
	content->magic = OPA_CONTROL_MAGIC;
	content->version = OPA_CONTROL_VERSION;
	opa_owner_self(&content->owner);
	memcpy(content->counters, control->counters, sizeof(content->counters));
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
	if (make_file(control)) {
		control->used += OPA_CONTROL_SIZE;
		control->changed = false;
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
	opa_file_close(&control->file);
	control->spool = spool;
	control->next_try = 0;
	try_file(control);
}

void opa_control_close(opa_control *control)
{
	if (control != NULL) {
		opa_control_save(control);
		opa_control_abandon(control);
	}
}

void opa_control_abandon(opa_control *control)
{
	if (control != NULL) {
		opa_file_close(&control->file);
		opa_free(control);
	}
}

void opa_control_add(opa_control *control, opa_counter counter, uint64_t n)
{
	control->counters[counter] += n;
	control->changed = true;
}

uint64_t opa_control_get(const opa_control *control, opa_counter counter)
{
	return control->counters[counter];
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

/* No more than the counters: acknowledgements are the exporter's to write. */
void opa_control_save(opa_control *control)
{
	if (!control->changed || !is_intact(control) || !opa_file_may_reach(ACKS_AT)) {
		return;
	}
	control->changed = !opa_file_write(control->file.fd, control->counters,
		OPA_COUNTER_COUNT * sizeof(uint64_t), offsetof(opa_control_file, counters));
}

void opa_control_check(opa_control *control)
{
	if (control->file.fd >= 0 && !is_intact(control)) {
		opa_file_close(&control->file);
	}
	if (control->file.fd < 0) {
		try_file(control);
	}
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
