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

void opa_exporter_fail(opa_exporter *exporter, opa_target *target, const char *problem)
{
	/* The text may be the store's own. */
	snprintf(target->problem, sizeof(target->problem), "%s",
		problem[0] != '\0' ? problem : "the store failed");
	opa_exporter_warn(exporter, target->problem);
	opa_store_close(target->store);
	target->store = NULL;
	target->backoff_ms = target->backoff_ms == 0 ? BACKOFF_FIRST_MS : target->backoff_ms * 2;
	if (target->backoff_ms > BACKOFF_MOST_MS) {
		target->backoff_ms = BACKOFF_MOST_MS;
	}
	target->retry_at = opa_clock_mono() + target->backoff_ms * OPA_MS_NS;
}

void opa_exporter_clear(opa_exporter *exporter, opa_target *target)
{
	target->problem[0] = '\0';
	target->backoff_ms = 0;
	exporter->last_success = opa_clock_wall() / OPA_SECOND_NS;
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
	} else if (target->definition.type != OPA_DESTINATION_STORE) {
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

/* ---- stores ---- */

static opa_store *open_store(
	opa_exporter *exporter, opa_target *target, bool must_exist, char *problem, size_t size)
{
	const opa_destination *d = &target->definition;
	opa_store_options options = {
		.path = d->path,
		.state_dir = d->state_dir,
		.home = d->home,
		.spool = exporter->spool.path,
		.group = d->group,
		.max_size = d->max_size,
		.spool_size = exporter->spool.max_size,
		.max_age = d->max_age,
		.durable = !exporter->spool.tmpfs,
		.must_exist = must_exist,
	};
	opa_store *store = opa_store_open(&options, problem, size);
	if (store != NULL && opa_store_problem(store)[0] != '\0') {
		opa_exporter_warn(exporter, opa_store_problem(store));
	}
	if (store != NULL && !opa_store_clean_positions(store, opa_exporter_has_file, exporter)) {
		snprintf(problem, size, "%s", opa_store_problem(store));
		opa_store_close(store);
		store = NULL;
	}
	return store;
}

static opa_store *try_store(opa_exporter *exporter, opa_target *target, bool must_exist)
{
	char problem[OPA_EXPORTER_PROBLEM_MAX] = "";
	if (target->store != NULL) {
		return target->store;
	}
	if (target->retry_at > opa_clock_mono()) {
		return NULL;
	}
	if (read_definition(exporter, target, problem, sizeof(problem))) {
		target->store = open_store(exporter, target, must_exist, problem, sizeof(problem));
		target->prune_at = 0; /* soon */
	}
	if (target->store == NULL && problem[0] != '\0') {
		opa_exporter_fail(exporter, target, problem);
	}
	return target->store;
}

opa_store *opa_exporter_open_store(opa_exporter *exporter, opa_target *target)
{
	return try_store(exporter, target, false);
}

void opa_exporter_close_targets(opa_exporter *exporter)
{
	while (exporter->targets != NULL) {
		opa_target *target = exporter->targets;
		exporter->targets = target->next;
		opa_store_close(target->store);
		opa_destination_deinit(&target->definition);
		opa_text_deinit(&target->gone);
		opa_free(target);
	}
	exporter->recent = NULL;
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
		if (try_store(exporter, target, true) != NULL) {
			exporter->recent = target;
			return target;
		}
	}
	return NULL;
}
