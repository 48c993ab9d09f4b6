#include "opa_exporter_internal.h"

#include "../core/opa_alloc.h"
#include "../core/opa_clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PRUNE_NS       (60 * OPA_SECOND_NS)
#define PRUNE_SMALL_NS (5 * PRUNE_NS / 60)
#define PRUNE_ROUNDS   20 /* of --once: a second or so */
#define COUNT_SKIPPED  "exporter_bytes_skipped"

/* ---- batches ---- */

static void forget_batch(opa_exporter *exporter)
{
	opa_batch *batch = &exporter->batch;
	for (size_t i = 0; i < batch->count; i++) {
		batch->sources[i]->in_batch = false;
	}
	*batch = (opa_batch){0};
}

/* Nothing of the batch has happened: its journals are read again from where the store has them. */
static void fail_batch(opa_exporter *exporter)
{
	opa_batch *batch = &exporter->batch;
	opa_target *target = batch->target;
	for (size_t i = 0; i < batch->count; i++) {
		batch->sources[i]->has_ended = false;
		batch->sources[i]->read_round = 0;
		opa_exporter_close_reader(exporter, batch->sources[i]);
	}
	forget_batch(exporter);
	if (target->store != NULL) {
		opa_store_rollback(target->store);
	}
	opa_exporter_fail(
		exporter, target, target->store != NULL ? opa_store_problem(target->store) : "");
}

static bool begin_batch(opa_exporter *exporter)
{
	opa_batch *batch = &exporter->batch;
	if (!batch->begun) {
		batch->begun = opa_store_begin(batch->target->store);
		batch->begun_at = opa_clock_mono();
	}
	return batch->begun;
}

static bool is_unsaved(const opa_source *source)
{
	return opa_journal_reader_offset(source->reader) != source->stored ||
		   opa_journal_reader_skipped(source->reader) != source->skipped;
}

static bool save_source(opa_exporter *exporter, const opa_source *source)
{
	opa_store *store = exporter->batch.target->store;
	uint64_t skipped = opa_journal_reader_skipped(source->reader) - source->skipped;
	if (!is_unsaved(source)) {
		return true;
	}
	return begin_batch(exporter) &&
		   opa_store_set_position(store, source->name, opa_journal_reader_offset(source->reader)) &&
		   (skipped == 0 || opa_store_count(store, COUNT_SKIPPED, skipped));
}

static bool drop_gone(opa_target *target)
{
	for (size_t i = 0; i < target->gone.len; i += strlen(target->gone.data + i) + 1) {
		if (!opa_store_drop_position(target->store, target->gone.data + i)) {
			return false;
		}
	}
	return true;
}

/* The writer may wait for this in opa_flush(). Without a control file nobody does. */
static void acknowledge(opa_exporter *exporter, const opa_source *source)
{
	const opa_journal_header *header = opa_journal_reader_header(source->reader);
	opa_control_acknowledge(&exporter->spool, source->name, header->slot,
		(opa_ack){.sequence = header->sequence, .offset = source->stored});
}

/* After the commit. A file that cannot be removed is met again in the next round. */
static void settle_source(opa_exporter *exporter, opa_source *source, opa_target *target)
{
	bool moved = opa_journal_reader_offset(source->reader) != source->stored;
	source->stored = opa_journal_reader_offset(source->reader);
	source->skipped = opa_journal_reader_skipped(source->reader);
	if (moved) {
		acknowledge(exporter, source);
	}
	if (source->has_ended && opa_journal_reader_delete(source->reader)) {
		if (target != NULL) {
			opa_text_append(&target->gone, source->name, strlen(source->name) + 1);
		}
		exporter->had_data = true;
	}
	if (source->has_ended) {
		opa_exporter_close_reader(exporter, source);
	}
}

static bool save_batch(opa_exporter *exporter)
{
	opa_batch *batch = &exporter->batch;
	for (size_t i = 0; i < batch->count; i++) {
		if (!save_source(exporter, batch->sources[i])) {
			return false;
		}
	}
	if (!batch->begun) {
		return true;
	}
	if (!drop_gone(batch->target) || !opa_store_commit(batch->target->store)) {
		return false;
	}
	/* When memory was short names are missing here; the next start cleans their positions up. */
	opa_text_reset(&batch->target->gone);
	exporter->spans += batch->spans;
	exporter->traces += batch->traces;
	exporter->recent = batch->target;
	opa_exporter_clear(exporter, batch->target);
	return true;
}

static bool commit_batch(opa_exporter *exporter)
{
	opa_batch *batch = &exporter->batch;
	if (batch->target == NULL) {
		return true;
	}
	if (!save_batch(exporter)) {
		fail_batch(exporter);
		return false;
	}
	for (size_t i = 0; i < batch->count; i++) {
		settle_source(exporter, batch->sources[i], batch->target);
	}
	forget_batch(exporter);
	return true;
}

bool opa_exporter_begin(opa_exporter *exporter, opa_target *target)
{
	if (!commit_batch(exporter) || opa_exporter_open_store(exporter, target) == NULL) {
		return false;
	}
	exporter->batch.target = target;
	if (!begin_batch(exporter)) {
		fail_batch(exporter);
		return false;
	}
	return true;
}

bool opa_exporter_commit(opa_exporter *exporter)
{
	return commit_batch(exporter);
}

void opa_exporter_abort(opa_exporter *exporter)
{
	fail_batch(exporter);
}

static bool is_full(const opa_batch *batch)
{
	return batch->work >= OPA_BATCH_SPANS || batch->count >= OPA_BATCH_SOURCES ||
		   (batch->begun && opa_clock_mono() - batch->begun_at >= OPA_BATCH_NS);
}

static void join_batch(opa_exporter *exporter, opa_source *source)
{
	if (!source->in_batch) {
		source->in_batch = true;
		exporter->batch.sources[exporter->batch.count++] = source;
		exporter->batch.work++;
	}
}

/* ---- one journal ---- */

/* It waits, and `state` says so. What is gone was taken away by somebody, as by `opa`. */
static void note_unread(opa_exporter *exporter, const char *name, int reason)
{
	if (reason != ENOENT) {
		snprintf(exporter->unread, sizeof(exporter->unread), "cannot read %s: %s", name,
			reason == EPROTONOSUPPORT ? "it is of a later version of opa" : strerror(reason));
		exporter->unread_round = exporter->round;
		opa_exporter_warn(exporter, exporter->unread);
	}
}

static bool open_reader(opa_exporter *exporter, opa_source *source, uint64_t offset)
{
	source->reader = opa_journal_reader_open(&exporter->spool, source->name, offset);
	if (source->reader == NULL) {
		note_unread(exporter, source->name, errno);
		return false;
	}
	exporter->readers++;
	source->is_placed = false;
	source->stored = opa_journal_reader_offset(source->reader);
	source->skipped = 0;
	return true;
}

/* Whom it is for stands in its header. False: it cannot be read now, or is gone. */
static bool know_target(opa_exporter *exporter, opa_source *source)
{
	if (source->target != NULL || source->header_damaged) {
		return true;
	}
	if (source->reader == NULL && !open_reader(exporter, source, 0)) {
		return false;
	}
	const opa_journal_header *header = opa_journal_reader_header(source->reader);
	source->header_damaged = header->magic != OPA_JOURNAL_MAGIC;
	if (!source->header_damaged) {
		source->target = opa_exporter_target(exporter, header->destination);
	}
	if (exporter->readers > OPA_EXPORTER_READERS) {
		opa_exporter_close_reader(exporter, source);
	}
	return source->header_damaged || source->target != NULL;
}

/*
 * Opens it where the store stands. What an earlier exporter stored but did not live to acknowledge
 * is acknowledged now.
 */
static bool open_at_position(opa_exporter *exporter, opa_source *source)
{
	uint64_t offset;
	if (source->reader != NULL && source->is_placed) {
		return true;
	}
	if (!opa_store_position(source->target->store, source->name, &offset)) {
		fail_batch(exporter);
		return false;
	}
	if (source->reader == NULL || offset > 0) {
		opa_exporter_close_reader(exporter, source);
		if (!open_reader(exporter, source, offset)) {
			return false;
		}
	}
	source->is_placed = true;
	if (offset > 0) {
		source->stored = offset;
		acknowledge(exporter, source);
	}
	return true;
}

static bool add_record(opa_exporter *exporter, opa_source *source, const opa_record_view *record)
{
	opa_batch *batch = &exporter->batch;
	uint32_t added = 0;
	opa_str resource = opa_journal_reader_resource(source->reader, record->header.resource);
	join_batch(exporter, source);
	if (!begin_batch(exporter) || !opa_store_add(source->target->store, record, resource, &added)) {
		return false;
	}
	batch->work += record->header.spans;
	batch->spans += added;
	batch->traces += added > 0 && (record->header.flags & OPA_RECORD_COMPLETE) != 0;
	exporter->had_data = true;
	return true;
}

/* What there is of one journal. False when the target has a problem, or it is time to leave. */
static bool read_source(opa_exporter *exporter, opa_source *source)
{
	if (!open_at_position(exporter, source)) {
		return source->target->store != NULL;
	}
	for (;;) {
		opa_record_view record;
		opa_read read = opa_journal_reader_next(source->reader, &record);
		if (read == OPA_READ_ERROR) {
			note_unread(exporter, source->name, errno);
		}
		if (read != OPA_READ_RECORD) {
			source->is_live = read != OPA_READ_END;
			source->has_ended = read == OPA_READ_END;
			source->read_round = read != OPA_READ_ERROR ? exporter->round : 0;
			break;
		}
		if (!add_record(exporter, source, &record)) {
			fail_batch(exporter);
			return false;
		}
		if (is_full(&exporter->batch) &&
			(!commit_batch(exporter) || !opa_exporter_may_go_on(exporter))) {
			return false;
		}
		exporter->batch.target = source->target;
	}
	if (source->has_ended || is_unsaved(source)) {
		join_batch(exporter, source);
	}
	if (!source->in_batch && exporter->readers > OPA_EXPORTER_READERS) {
		opa_exporter_close_reader(exporter, source);
	}
	return true;
}

/* ---- a round ---- */

/* A file that is not a journal (any more) has no destination: it is counted where the last was. */
static void discard_damaged(opa_exporter *exporter, opa_source *source)
{
	opa_record_view record;
	if (source->reader == NULL && !open_reader(exporter, source, 0)) {
		return;
	}
	if (opa_journal_reader_next(source->reader, &record) == OPA_READ_END) {
		opa_target *target = opa_exporter_find_recent(exporter);
		uint64_t skipped = opa_journal_reader_skipped(source->reader);
		if (target != NULL && opa_exporter_begin(exporter, target)) {
			if (!opa_store_count(target->store, COUNT_SKIPPED, skipped)) {
				fail_batch(exporter);
			} else if (commit_batch(exporter)) {
				opa_journal_reader_delete(source->reader);
			}
		}
	}
	opa_exporter_close_reader(exporter, source);
}

/* The first of the list that is not done decides whose turn it is; the others' come after it. */
static opa_target *next_target(opa_source **sources, long count)
{
	for (long i = 0; i < count; i++) {
		if (sources[i] != NULL) {
			return sources[i]->target;
		}
	}
	return NULL;
}

/* The journals of one target, oldest first. False when it is time to leave. */
static bool take_in_target(
	opa_exporter *exporter, opa_target *target, opa_source **sources, long count)
{
	bool usable = opa_exporter_open_store(exporter, target) != NULL;
	for (long i = 0; i < count; i++) {
		opa_source *source = sources[i];
		if (source == NULL || source->target != target) {
			continue;
		}
		sources[i] = NULL;
		if (!usable) {
			target->blocked_round = exporter->round;
			opa_exporter_close_reader(exporter, source);
			continue;
		}
		exporter->batch.target = target;
		if (!read_source(exporter, source) ||
			(is_full(&exporter->batch) && !commit_batch(exporter))) {
			usable = target->store != NULL;
			target->blocked_round = usable ? target->blocked_round : exporter->round;
		}
		if (!opa_exporter_may_go_on(exporter)) {
			break;
		}
	}
	if (usable && !commit_batch(exporter)) {
		target->blocked_round = exporter->round;
	}
	return opa_exporter_may_go_on(exporter);
}

/* Finds out whom they are for; NULL for those that need nothing more. */
static void sort_out(
	opa_exporter *exporter, opa_journal_name *names, opa_source **sources, long count)
{
	for (long i = 0; i < count; i++) {
		opa_source *source = opa_exporter_source(exporter, names[i]);
		sources[i] = NULL;
		if (source == NULL) {
			continue;
		}
		source->round = exporter->round;
		if (!know_target(exporter, source)) {
			continue;
		}
		if (source->header_damaged) {
			discard_damaged(exporter, source);
		} else {
			sources[i] = source;
		}
	}
}

static void count_live(opa_exporter *exporter)
{
	exporter->live = 0;
	for (size_t i = 0; i < OPA_EXPORTER_BUCKETS; i++) {
		for (opa_source *source = exporter->buckets[i]; source != NULL; source = source->next) {
			exporter->live += source->is_live;
		}
	}
}

static void prune(opa_exporter *exporter, opa_target *target)
{
	uint64_t now = opa_clock_mono();
	if (target->store == NULL || (now < target->prune_at && !target->prune_more)) {
		return;
	}
	if (!opa_store_prune(target->store, &target->prune_more)) {
		opa_exporter_fail(exporter, target, opa_store_problem(target->store));
		return;
	}
	target->prune_at = now + (opa_store_is_small(target->store) ? PRUNE_SMALL_NS : PRUNE_NS);
}

void opa_exporter_prune(opa_exporter *exporter)
{
	for (opa_target *target = exporter->targets; target != NULL; target = target->next) {
		for (int i = 0; i < PRUNE_ROUNDS && target->prune_more; i++) {
			prune(exporter, target);
		}
	}
}

/* Positions of removed files go with the next data; when none comes, by themselves. */
static void finish_target(opa_exporter *exporter, opa_target *target)
{
	if (target->store == NULL) {
		return;
	}
	if (target->gone.len > 0 && (!exporter->had_data || exporter->once || exporter->stopping) &&
		opa_exporter_begin(exporter, target)) {
		commit_batch(exporter);
	}
	if (exporter->had_data || target->prune_at == 0 || target->prune_more) {
		prune(exporter, target);
	}
}

void opa_exporter_take_in(opa_exporter *exporter)
{
	opa_journal_name *names;
	exporter->round++;
	exporter->had_data = false;
	long count = opa_journal_list(&exporter->spool, &names);
	if (count < 0) {
		note_unread(exporter, "the spool's journals", errno);
		return;
	}
	opa_source **sources = opa_calloc((size_t)count + 1, sizeof(*sources));
	if (sources != NULL) {
		sort_out(exporter, names, sources, count);
		for (opa_target *target = next_target(sources, count); target != NULL;
			 target = next_target(sources, count)) {
			if (!take_in_target(exporter, target, sources, count)) {
				break;
			}
		}
	}
	opa_free(sources);
	opa_free(names);
	opa_exporter_forget_sources(exporter, false);
	count_live(exporter);
	for (opa_target *target = exporter->targets; target != NULL; target = target->next) {
		finish_target(exporter, target);
	}
}
