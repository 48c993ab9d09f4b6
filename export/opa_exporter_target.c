#include "opa_exporter_internal.h"
#include "opa_file.h"

#include "../core/opa_alloc.h"
#include "../core/opa_clock.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BACKOFF_FIRST_MS 1000
#define BACKOFF_MOST_MS  30000

opa_target *opa_exporter_target(opa_exporter *exporter, uint64_t id)
{
	for (opa_target *known = exporter->targets; known != NULL; known = known->next) {
		if (known->id == id) {
			return known;
		}
	}
	opa_target *target = opa_calloc(1, sizeof(*target));
	if (target != NULL) {
		target->id = id;
		target->next = exporter->targets;
		exporter->targets = target;
	}
	return target;
}

/* ---- problems ---- */

void opa_exporter_warn(opa_exporter *exporter, const char *warning)
{
	snprintf(exporter->last_error, sizeof(exporter->last_error), "%s", warning);
	exporter->last_error_time = opa_clock_wall() / OPA_SECOND_NS;
}

/* What the sink has is gone with it; a collector's does not cost anything to keep. */
static void close_sink(opa_target *target)
{
	if (target->sink != NULL) {
		target->sink->type->close(target->sink);
	}
	target->sink = NULL;
	target->store = NULL;
}

/* Twice as long as the last time. */
static uint64_t next_backoff(opa_target *target)
{
	target->backoff_ms = target->backoff_ms == 0 ? BACKOFF_FIRST_MS : target->backoff_ms * 2;
	if (target->backoff_ms > BACKOFF_MOST_MS) {
		target->backoff_ms = BACKOFF_MOST_MS;
	}
	return target->backoff_ms;
}

void opa_exporter_fail(
	opa_exporter *exporter, opa_target *target, const char *problem, uint64_t pause_ms)
{
	/* The text may be the sink's own. */
	snprintf(target->problem, sizeof(target->problem), "%s",
		problem[0] != '\0' ? problem : "the store failed");
	opa_exporter_warn(exporter, target->problem);
	if (target->store != NULL) {
		close_sink(target);
	}
	target->failing = true;
	target->retry_at =
		opa_clock_mono() + (pause_ms > 0 ? pause_ms : next_backoff(target)) * OPA_MS_NS;
}

void opa_exporter_clear(opa_exporter *exporter, opa_target *target)
{
	target->problem[0] = '\0';
	target->backoff_ms = 0;
	target->dropping = false;
	exporter->last_success = opa_clock_wall() / OPA_SECOND_NS;
}

void opa_exporter_note_loss(opa_exporter *exporter, opa_target *target, const char *problem)
{
	snprintf(target->problem, sizeof(target->problem), "%s", problem);
	opa_exporter_warn(exporter, target->problem);
	target->dropping = true;
}

/* ---- definitions ---- */

static bool read_definition(opa_exporter *exporter, opa_target *target, char *problem, size_t size)
{
	char name[32];
	if (target->defined) {
		return true;
	}
	snprintf(name, sizeof(name), "dest/%016" PRIx64, target->id);
	char *text = opa_malloc(OPA_DESTINATION_TEXT_MAX);
	long len = text != NULL
				   ? opa_spool_read_file(&exporter->spool, name, text, OPA_DESTINATION_TEXT_MAX)
				   : -1;
	if (len < 0) {
		snprintf(problem, size,
			"traces wait for a destination that the spool does not define: %s/%s",
			exporter->spool.path, name);
	} else if (!opa_destination_parse(&target->definition, (opa_str){text, (size_t)len})) {
		snprintf(problem, size, "out of memory");
	} else if (target->definition.type == OPA_DESTINATION_UNKNOWN) {
		/* Not kept: a newer exporter, or a newer file, may know better. */
		snprintf(problem, size,
			"traces wait for a destination of type \"%.60s\", which opa-exporter %s does not know (%s)",
			target->definition.type_name, OPA_VERSION_TEXT, name);
		opa_destination_deinit(&target->definition);
	} else {
		target->defined = true;
	}
	opa_free(text);
	return target->defined;
}

/* ---- sinks ---- */

static bool open_sink(
	opa_exporter *exporter, opa_target *target, bool must_exist, char *problem, size_t size)
{
	if (!read_definition(exporter, target, problem, size)) {
		return false;
	}
	if (target->definition.type == OPA_DESTINATION_STORE) {
		return opa_exporter_open_store(exporter, target, must_exist, problem, size);
	}
	/* Who asks for stores does not ask for these. */
	return !must_exist && !exporter->local &&
		   opa_exporter_open_collector(exporter, target, problem, size);
}

bool opa_exporter_open_sink(opa_exporter *exporter, opa_target *target, bool must_exist)
{
	char problem[OPA_EXPORTER_PROBLEM_MAX] = "";
	if (target->failing && target->retry_at > opa_clock_mono()) {
		return false;
	}
	target->failing = false;
	if (target->sink == NULL &&
		!open_sink(exporter, target, must_exist, problem, sizeof(problem)) && problem[0] != '\0') {
		opa_exporter_fail(exporter, target, problem, 0);
	}
	return target->sink != NULL;
}

void opa_exporter_close_targets(opa_exporter *exporter)
{
	while (exporter->targets != NULL) {
		opa_target *target = exporter->targets;
		exporter->targets = target->next;
		close_sink(target);
		opa_destination_deinit(&target->definition);
		opa_text_deinit(&target->gone);
		opa_free(target);
	}
	exporter->recent = exporter->served = NULL;
	opa_http_destroy(exporter->http);
	exporter->http = NULL;
}

/* ---- the recent one ---- */

/* The newest definition that is older than *before; *before becomes its time. 0 when there is none.
 */
static uint64_t next_definition(const opa_exporter *exporter, int64_t *before)
{
	DIR *dir = opa_file_open_folder(exporter->spool.dir, "dest");
	uint64_t id = 0;
	int64_t best = INT64_MIN;
	if (dir == NULL) {
		return 0;
	}
	for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
		struct stat st;
		if (strspn(entry->d_name, "0123456789abcdef") != 16 || entry->d_name[16] != '\0' ||
			fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
			continue;
		}
		int64_t changed = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
		if (changed > best && changed < *before) {
			best = changed;
			id = strtoull(entry->d_name, NULL, 16);
		}
	}
	closedir(dir);
	*before = best;
	return id;
}

opa_target *opa_exporter_find_recent(opa_exporter *exporter)
{
	if (exporter->recent != NULL) {
		return exporter->recent;
	}
	int64_t before = INT64_MAX;
	for (uint64_t id = next_definition(exporter, &before); id != 0;
		 id = next_definition(exporter, &before)) {
		opa_target *target = opa_exporter_target(exporter, id);
		if (target == NULL) {
			return NULL;
		}
		if (opa_exporter_open_sink(exporter, target, true) && target->store != NULL) {
			exporter->recent = target;
			return target;
		}
	}
	return NULL;
}
