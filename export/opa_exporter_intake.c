#include "opa_exporter_internal.h"

#include "../core/opa_alloc.h"
#include "../core/opa_clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define COUNT_SKIPPED "exporter_bytes_skipped"

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
 * Opens it where the sink stands. What an earlier exporter brought in but did not live to
 * acknowledge is acknowledged now.
 */
static bool open_at_position(opa_exporter *exporter, opa_source *source)
{
	uint64_t offset;
	if (source->reader != NULL && source->is_placed) {
		return true;
	}
	opa_sink *sink = source->target->sink;
	if (!sink->type->position(sink, source->name, &offset)) {
		opa_exporter_abort(exporter, source->target);
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
		opa_exporter_acknowledge(exporter, source);
	}
	return true;
}

/* Whether the target can be given more now. */
static bool is_usable(const opa_target *target)
{
	return target->sink != NULL && !target->failing && !target->batch.pending;
}

/* What there is of one journal. False when the target takes no more, or it is time to leave. */
static bool read_source(opa_exporter *exporter, opa_source *source)
{
	opa_target *target = source->target;
	bool full = false;
	if (!open_at_position(exporter, source)) {
		return is_usable(target);
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
		if (!opa_exporter_add(exporter, source, &record, &full) ||
			(full && (opa_exporter_commit(exporter, target) != OPA_COMMIT_DONE ||
						 !opa_exporter_may_go_on(exporter)))) {
			return false;
		}
	}
	if (source->has_ended || opa_exporter_is_unsaved(source)) {
		opa_exporter_join(source);
	}
	if (!source->in_batch && exporter->readers > OPA_EXPORTER_READERS) {
		opa_exporter_close_reader(exporter, source);
	}
	return target->batch.count < OPA_BATCH_SOURCES ||
		   opa_exporter_commit(exporter, target) == OPA_COMMIT_DONE;
}

/* ---- a round ---- */

/* The store that is used; else any sink that can be counted in. */
static opa_target *find_counting(opa_exporter *exporter)
{
	opa_target *recent = opa_exporter_find_recent(exporter);
	for (opa_target *t = exporter->targets; t != NULL && recent == NULL; t = t->next) {
		recent = is_usable(t) ? t : NULL;
	}
	return recent;
}

/* False: it is to be counted later. Of a collector counters stand beside the batch. */
static bool count_skipped(opa_exporter *exporter, opa_target *target, uint64_t bytes)
{
	if (target == NULL || (target->store != NULL && !opa_exporter_begin(exporter, target))) {
		return false;
	}
	if (!target->sink->type->count(target->sink, COUNT_SKIPPED, bytes)) {
		opa_exporter_abort(exporter, target);
		return false;
	}
	return target->store == NULL || opa_exporter_commit(exporter, target) == OPA_COMMIT_DONE;
}

/* A file that is not a journal (any more) has no destination: it is counted where the last was. */
static void discard_damaged(opa_exporter *exporter, opa_source *source)
{
	opa_record_view record;
	if (source->reader == NULL && !open_reader(exporter, source, 0)) {
		return;
	}
	if (opa_journal_reader_next(source->reader, &record) == OPA_READ_END) {
		uint64_t skipped = opa_journal_reader_skipped(source->reader);
		if (count_skipped(exporter, find_counting(exporter), skipped)) {
			opa_journal_reader_delete(source->reader);
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

/* Its batch, if it is time. */
static void commit_if_due(opa_exporter *exporter, opa_target *target)
{
	if (is_usable(target) && opa_exporter_is_due(exporter, target)) {
		opa_exporter_commit(exporter, target);
	}
}

/* The journals of one target, oldest first. False when it is time to leave. */
static bool take_in_target(
	opa_exporter *exporter, opa_target *target, opa_source **sources, long count)
{
	bool usable = !target->batch.pending && opa_exporter_open_sink(exporter, target, false);
	bool whole = usable, go_on = true;
	for (long i = 0; i < count; i++) {
		opa_source *source = sources[i];
		if (source == NULL || source->target != target) {
			continue;
		}
		sources[i] = NULL;
		if (usable && go_on && !read_source(exporter, source)) {
			whole = false;
			usable = is_usable(target);
			go_on = opa_exporter_may_go_on(exporter);
		}
		if (!usable && !source->in_batch) {
			opa_exporter_close_reader(exporter, source);
		}
	}
	commit_if_due(exporter, target);
	if (target->failing) {
		target->blocked_round = exporter->round;
	}
	if (!whole) {
		target->part_round = exporter->round;
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

/* Positions of removed files go with the next data; when none comes, by themselves. */
static void finish_target(opa_exporter *exporter, opa_target *target)
{
	commit_if_due(exporter, target);
	if (target->part_round != exporter->round) {
		target->read_at = exporter->round_at;
	}
	if (target->gone.len > 0 && is_usable(target) && !target->batch.begun &&
		(!exporter->had_data || exporter->once || exporter->stopping) &&
		opa_exporter_begin(exporter, target)) {
		opa_exporter_commit(exporter, target);
	}
	if (exporter->had_data || target->prune_at == 0 || target->prune_more) {
		opa_exporter_prune(exporter, target);
	}
}

/* The answers that have come since the last round. */
static void go_on_with_commits(opa_exporter *exporter)
{
	for (opa_target *target = exporter->targets; target != NULL; target = target->next) {
		if (target->batch.pending) {
			exporter->had_data = true;
			opa_exporter_commit(exporter, target);
		}
	}
}

void opa_exporter_take_in(opa_exporter *exporter)
{
	opa_journal_name *names;
	exporter->round++;
	exporter->round_at = opa_clock_mono();
	exporter->had_data = false;
	go_on_with_commits(exporter);
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
	for (opa_target *target = exporter->targets; target != NULL; target = target->next) {
		finish_target(exporter, target);
	}
	opa_exporter_forget_sources(exporter, false);
	count_live(exporter);
}
