#include "opa_exporter_internal.h"

#include "../core/opa_alloc.h"
#include "../core/opa_hash.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* The names are random. */
static opa_source **bucket(opa_exporter *exporter, const char *name)
{
	uint64_t hash = opa_hash_add(OPA_HASH_START, name, strlen(name));
	return &exporter->buckets[hash % OPA_EXPORTER_BUCKETS];
}

static opa_source *find(opa_source *bucket_head, const char *name)
{
	while (bucket_head != NULL && strcmp(bucket_head->name, name) != 0) {
		bucket_head = bucket_head->next;
	}
	return bucket_head;
}

bool opa_exporter_knows(opa_exporter *exporter, const char *name)
{
	return find(*bucket(exporter, name), name) != NULL;
}

opa_source *opa_exporter_source(opa_exporter *exporter, const char *name)
{
	opa_source **head = bucket(exporter, name);
	opa_source *known = find(*head, name);
	if (known != NULL) {
		return known;
	}
	opa_source *source = opa_calloc(1, sizeof(*source));
	if (source != NULL) {
		snprintf(source->name, sizeof(source->name), "%s", name);
		source->next = *head;
		*head = source;
	}
	return source;
}

void opa_exporter_close_reader(opa_exporter *exporter, opa_source *source)
{
	if (source->reader != NULL) {
		opa_journal_reader_close(source->reader);
		source->reader = NULL;
		exporter->readers--;
	}
}

void opa_exporter_forget_sources(opa_exporter *exporter, bool all)
{
	for (size_t i = 0; i < OPA_EXPORTER_BUCKETS; i++) {
		opa_source **link = &exporter->buckets[i];
		while (*link != NULL) {
			opa_source *source = *link;
			if (!all && (source->round == exporter->round || source->in_batch)) {
				link = &source->next;
				continue;
			}
			*link = source->next;
			opa_exporter_close_reader(exporter, source);
			opa_free(source);
		}
	}
}

static bool look(
	const opa_exporter *exporter, const char *folder, const char *name, struct stat *st)
{
	char path[128];
	int n = snprintf(path, sizeof(path), "%s/%s", folder, name);
	return n > 0 && (size_t)n < sizeof(path) &&
		   fstatat(exporter->spool.dir, path, st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* live/ first: a file moves from there to sealed/ and never back. */
bool opa_exporter_has_file(void *exporter, const char *name)
{
	struct stat st;
	return look(exporter, "live", name, &st) || look(exporter, "sealed", name, &st) ||
		   look(exporter, "control", name, &st);
}

uint64_t opa_exporter_measure_waiting(opa_exporter *exporter)
{
	uint64_t waiting = 0;
	for (size_t i = 0; i < OPA_EXPORTER_BUCKETS; i++) {
		for (opa_source *source = exporter->buckets[i]; source != NULL; source = source->next) {
			struct stat st;
			if (source->read_round == exporter->round && !source->in_batch) {
				continue;
			}
			if ((look(exporter, "live", source->name, &st) ||
					look(exporter, "sealed", source->name, &st)) &&
				(uint64_t)st.st_size > source->stored) {
				waiting += (uint64_t)st.st_size - source->stored;
			}
		}
	}
	return waiting;
}
