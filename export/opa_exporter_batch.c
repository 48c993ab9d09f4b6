#include "opa_exporter_internal.h"

#include "../core/opa_clock.h"

#include <stdio.h>
#include <string.h>

#define COUNT_SKIPPED "exporter_bytes_skipped"

static void forget_batch(opa_target *target)
{
	for (size_t i = 0; i < target->batch.count; i++) {
		target->batch.sources[i]->in_batch = false;
	}
	target->batch = (opa_batch){0};
}

/* Its journals are read again from where the sink has them. */
static void fail_batch(opa_exporter *exporter, opa_target *target)
{
	opa_batch *batch = &target->batch;
	for (size_t i = 0; i < batch->count; i++) {
		batch->sources[i]->has_ended = false;
		batch->sources[i]->read_round = 0;
		opa_exporter_close_reader(exporter, batch->sources[i]);
	}
	forget_batch(target);
	if (target->sink != NULL) {
		opa_sink *sink = target->sink;
		sink->type->rollback(sink);
		opa_exporter_fail(exporter, target, sink->problem, sink->pause_ms);
	}
}

void opa_exporter_abort(opa_exporter *exporter, opa_target *target)
{
	fail_batch(exporter, target);
}

static bool begin_batch(opa_target *target)
{
	opa_batch *batch = &target->batch;
	if (!batch->begun) {
		batch->begun = target->sink->type->begin(target->sink);
	}
	return batch->begun;
}

bool opa_exporter_begin(opa_exporter *exporter, opa_target *target)
{
	if (!opa_exporter_open_sink(exporter, target, false)) {
		return false;
	}
	if (!begin_batch(target)) {
		fail_batch(exporter, target);
		return false;
	}
	return true;
}

/* ---- what is in it ---- */

bool opa_exporter_is_unsaved(const opa_source *source)
{
	return opa_journal_reader_offset(source->reader) != source->stored ||
		   opa_journal_reader_skipped(source->reader) != source->skipped;
}

void opa_exporter_join(opa_source *source)
{
	opa_target *target = source->target;
	opa_batch *batch = &target->batch;
	if (!source->in_batch) {
		source->in_batch = true;
		batch->sources[batch->count++] = source;
	}
	if (batch->since == 0) {
		batch->since = target->read_at != 0 ? target->read_at : opa_clock_mono();
	}
}

bool opa_exporter_add(
	opa_exporter *exporter, opa_source *source, const opa_record_view *record, bool *full)
{
	opa_target *target = source->target;
	opa_arrival arrival = {
		.record = record,
		.resource = opa_journal_reader_resource(source->reader, record->header.resource),
		.journal = source->name,
		.offset = opa_journal_reader_offset(source->reader),
	};
	opa_exporter_join(source);
	exporter->had_data = true;
	opa_added added =
		begin_batch(target) ? target->sink->type->add(target->sink, &arrival) : OPA_ADD_FAILED;
	if (added == OPA_ADD_FAILED) {
		fail_batch(exporter, target);
		return false;
	}
	*full = added == OPA_ADDED_FULL || target->batch.count >= OPA_BATCH_SOURCES;
	return true;
}

bool opa_exporter_is_due(const opa_exporter *exporter, const opa_target *target)
{
	const opa_batch *batch = &target->batch;
	return batch->since != 0 && (exporter->once || exporter->stopping ||
									opa_clock_mono() - batch->since >= target->sink->linger);
}

/* ---- the commit ---- */

static bool count_skipped(opa_target *target, const opa_source *source)
{
	uint64_t skipped = opa_journal_reader_skipped(source->reader) - source->skipped;
	return skipped == 0 ||
		   (begin_batch(target) && target->sink->type->count(target->sink, COUNT_SKIPPED, skipped));
}

/* When memory is short names are missing here; the next start cleans their positions up. */
static bool drop_gone(opa_target *target)
{
	for (size_t i = 0; i < target->gone.len; i += strlen(target->gone.data + i) + 1) {
		if (!target->sink->type->drop(target->sink, target->gone.data + i)) {
			return false;
		}
	}
	opa_text_reset(&target->gone);
	return true;
}

/* What else goes with the records. False when the sink fails. */
static bool complete_batch(opa_target *target)
{
	opa_batch *batch = &target->batch;
	for (size_t i = 0; i < batch->count; i++) {
		if (!count_skipped(target, batch->sources[i])) {
			return false;
		}
	}
	return !batch->begun || drop_gone(target);
}

void opa_exporter_acknowledge(opa_exporter *exporter, const opa_source *source)
{
	/* The writer may wait for this in opa_flush(). Without a control file nobody does. */
	const opa_journal_header *header = opa_journal_reader_header(source->reader);
	opa_control_acknowledge(&exporter->spool, source->name, header->slot,
		(opa_ack){.sequence = header->sequence, .offset = source->stored});
}

/* A file that cannot be removed is met again in the next round. */
static void settle_source(opa_exporter *exporter, opa_source *source)
{
	bool moved = opa_journal_reader_offset(source->reader) != source->stored;
	source->stored = opa_journal_reader_offset(source->reader);
	source->skipped = opa_journal_reader_skipped(source->reader);
	if (moved) {
		opa_exporter_acknowledge(exporter, source);
	}
	if (source->has_ended) {
		if (opa_journal_reader_delete(source->reader)) {
			opa_text_append(&source->target->gone, source->name, strlen(source->name) + 1);
			exporter->had_data = true;
		}
		opa_exporter_close_reader(exporter, source);
	}
}

static void settle_batch(opa_exporter *exporter, opa_target *target)
{
	opa_sink *sink = target->sink;
	if (target->batch.begun) {
		exporter->served = target;
		exporter->recent = target->store != NULL ? target : exporter->recent;
		if (sink->problem[0] != '\0') {
			opa_exporter_note_loss(exporter, target, sink->problem);
		} else if (target->store != NULL || sink->brought.spans > 0) {
			opa_exporter_clear(exporter, target);
		}
	}
	for (size_t i = 0; i < target->batch.count; i++) {
		settle_source(exporter, target->batch.sources[i]);
	}
	forget_batch(target);
}

opa_commit opa_exporter_commit(opa_exporter *exporter, opa_target *target)
{
	opa_batch *batch = &target->batch;
	opa_commit commit = OPA_COMMIT_DONE;
	if (!batch->pending && !complete_batch(target)) {
		commit = OPA_COMMIT_FAILED;
	} else if (batch->begun) {
		bool wait = exporter->once || exporter->stopping;
		commit = target->sink->type->commit(target->sink, wait);
	}
	if (commit != OPA_COMMIT_PENDING && batch->begun) {
		exporter->spans += target->sink->brought.spans;
		exporter->traces += target->sink->brought.traces;
	}
	batch->pending = commit == OPA_COMMIT_PENDING;
	if (commit == OPA_COMMIT_FAILED) {
		fail_batch(exporter, target);
	} else if (commit == OPA_COMMIT_DONE) {
		settle_batch(exporter, target);
	}
	return commit;
}
