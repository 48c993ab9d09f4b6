#include "opa_positions.h"
#include "opa_file.h"
#include "opa_journal_reader.h"
#include "opa_otlp_read.h"

#include "../core/opa_alloc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (64u * 1024 * 1024) /* far more than journals fit into a spool */

static const char *const counter_names[] = {OPA_COUNT_SENT, OPA_COUNT_REJECTED, OPA_COUNT_MALFORMED,
	OPA_COUNT_REFUSED, OPA_COUNT_BYTES_SKIPPED};

#define COUNTERS (sizeof(counter_names) / sizeof(counter_names[0]))

typedef struct position {
	opa_journal_name journal;
	uint64_t offset;
} position;

struct opa_positions {
	const opa_spool *spool;
	char path[40];
	position *items; /* by name */
	size_t count;
	size_t capacity;
	uint64_t counters[COUNTERS];
	bool changed;
};

/* ---- looking up ---- */

/* The first that is not before that name. */
static size_t place_of(const opa_positions *positions, const char *journal, bool *found)
{
	size_t low = 0, high = positions->count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (strcmp(positions->items[middle].journal, journal) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	*found = low < positions->count && strcmp(positions->items[low].journal, journal) == 0;
	return low;
}

uint64_t opa_positions_get(const opa_positions *positions, const char *journal)
{
	bool found;
	size_t at = place_of(positions, journal, &found);
	return found ? positions->items[at].offset : 0;
}

static bool make_room(opa_positions *positions)
{
	if (positions->count < positions->capacity) {
		return true;
	}
	size_t capacity = positions->capacity == 0 ? 64 : 2 * positions->capacity;
	position *items = opa_realloc(positions->items, capacity * sizeof(*items));
	if (items == NULL) {
		return false;
	}
	positions->items = items;
	positions->capacity = capacity;
	return true;
}

bool opa_positions_set(opa_positions *positions, const char *journal, uint64_t offset)
{
	bool found;
	size_t at = place_of(positions, journal, &found);
	if (!found) {
		if (!make_room(positions)) {
			return false;
		}
		position *to = &positions->items[at];
		memmove(to + 1, to, (positions->count - at) * sizeof(*to));
		snprintf(to->journal, sizeof(to->journal), "%s", journal);
		positions->count++;
	}
	positions->items[at].offset = offset;
	positions->changed = true;
	return true;
}

void opa_positions_drop(opa_positions *positions, const char *journal)
{
	bool found;
	size_t at = place_of(positions, journal, &found);
	if (found) {
		position *from = &positions->items[at];
		positions->count--;
		memmove(from, from + 1, (positions->count - at) * sizeof(*from));
		positions->changed = true;
	}
}

static uint64_t *counter_of(opa_positions *positions, const char *name)
{
	for (size_t i = 0; i < COUNTERS; i++) {
		if (strcmp(counter_names[i], name) == 0) {
			return &positions->counters[i];
		}
	}
	return NULL;
}

void opa_positions_count(opa_positions *positions, const char *counter, uint64_t n)
{
	uint64_t *to = counter_of(positions, counter);
	if (to != NULL && n > 0) {
		*to += n;
		positions->changed = true;
	}
}

uint64_t opa_positions_counter(const opa_positions *positions, const char *counter)
{
	const uint64_t *from = counter_of((opa_positions *)(uintptr_t)positions, counter);
	return from != NULL ? *from : 0;
}

/* ---- the file ---- */

/* One line. False when memory is short. */
static bool read_line(opa_positions *positions, char *line, opa_positions_exists exists, void *user)
{
	char *value = strchr(line, '='), *end;
	if (value == NULL || value - line >= OPA_JOURNAL_NAME_MAX) {
		return true;
	}
	*value++ = '\0';
	errno = 0;
	uint64_t number = strtoull(value, &end, 10);
	if (errno != 0 || end == value || *end != '\0') {
		return true;
	}
	uint64_t *counter = counter_of(positions, line);
	if (counter != NULL) {
		*counter = number;
		return true;
	}
	return !exists(user, line) || opa_positions_set(positions, line, number);
}

/* All of it, terminated; NULL when there is none, or memory is short, which *failed tells. */
static char *read_file(const opa_positions *positions, bool *failed)
{
	struct stat st;
	char *text = NULL;
	*failed = false;
	int fd = opa_file_open(positions->spool, "dest", positions->path + sizeof("dest"), false);
	if (fd < 0) {
		return NULL;
	}
	if (fstat(fd, &st) == 0 && st.st_size > 0 && (uint64_t)st.st_size < FILE_MAX) {
		text = opa_malloc((size_t)st.st_size + 1);
		*failed = text == NULL;
		long len = text != NULL ? opa_file_read(fd, text, (size_t)st.st_size, 0) : -1;
		if (len >= 0) {
			text[len] = '\0';
		} else {
			opa_free(text);
			text = NULL;
		}
	}
	close(fd);
	return text;
}

opa_positions *opa_positions_open(
	const opa_spool *spool, uint64_t destination, opa_positions_exists exists, void *user)
{
	bool failed;
	opa_positions *positions = opa_calloc(1, sizeof(*positions));
	if (positions == NULL) {
		return NULL;
	}
	positions->spool = spool;
	snprintf(positions->path, sizeof(positions->path), "dest/%016" PRIx64 ".sent", destination);
	char *text = read_file(positions, &failed), *rest = text;
	for (char *line = strsep(&rest, "\n"); line != NULL && !failed; line = strsep(&rest, "\n")) {
		failed = !read_line(positions, line, exists, user);
	}
	opa_free(text);
	if (failed) {
		opa_positions_close(positions);
		return NULL;
	}
	positions->changed = false;
	return positions;
}

void opa_positions_close(opa_positions *positions)
{
	if (positions != NULL) {
		opa_free(positions->items);
		opa_free(positions);
	}
}

static void add_line(opa_text *text, const char *key, uint64_t value)
{
	char line[OPA_JOURNAL_NAME_MAX + 32];
	int n = snprintf(line, sizeof(line), "%s=%" PRIu64 "\n", key, value);
	opa_text_append(text, line, (size_t)n);
}

bool opa_positions_save(opa_positions *positions)
{
	opa_text text = {0};
	if (!positions->changed) {
		return true;
	}
	for (size_t i = 0; i < COUNTERS; i++) {
		if (positions->counters[i] > 0) {
			add_line(&text, counter_names[i], positions->counters[i]);
		}
	}
	for (size_t i = 0; i < positions->count; i++) {
		add_line(&text, positions->items[i].journal, positions->items[i].offset);
	}
	errno = ENOMEM;
	bool saved = !text.failed &&
				 opa_spool_replace_file(positions->spool, positions->path, text.data, text.len);
	int reason = errno;
	opa_text_deinit(&text);
	errno = reason;
	positions->changed = !saved;
	return saved;
}
