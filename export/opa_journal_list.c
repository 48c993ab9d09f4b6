#include "opa_journal_reader.h"
#include "opa_control.h"
#include "opa_file.h"
#include "../core/opa_alloc.h"
#include "../core/opa_clock.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct entry {
	opa_journal_name name;
	struct timespec changed;
} entry;

typedef struct entry_list {
	entry *items;
	size_t count;
	size_t capacity;
} entry_list;

/* "<32 hex digits>.<decimal>.j" */
static bool is_journal_name(const char *name)
{
	if (strlen(name) >= OPA_JOURNAL_NAME_MAX || strspn(name, "0123456789abcdef") != 32 ||
		name[32] != '.') {
		return false;
	}
	const char *number = name + 33;
	size_t digits = strspn(number, "0123456789");
	return digits > 0 && strcmp(number + digits, ".j") == 0;
}

static bool add(entry_list *list, const char *name, struct timespec changed)
{
	if (list->count == list->capacity) {
		size_t capacity = list->capacity == 0 ? 64 : list->capacity * 2;
		entry *items = opa_realloc(list->items, capacity * sizeof(*items));
		if (items == NULL) {
			return false;
		}
		list->items = items;
		list->capacity = capacity;
	}
	entry *item = &list->items[list->count++];
	memset(item->name, 0, sizeof(item->name));
	memcpy(item->name, name, strlen(name));
	item->changed = changed;
	return true;
}

static bool add_folder(entry_list *list, const opa_spool *spool, const char *folder)
{
	DIR *dir = opa_file_open_folder(spool->dir, folder);
	if (dir == NULL) {
		return false;
	}
	bool done = true;
	for (struct dirent *found = readdir(dir); found != NULL && done; found = readdir(dir)) {
		struct stat st;
		if (is_journal_name(found->d_name) &&
			fstatat(dirfd(dir), found->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			S_ISREG(st.st_mode)) {
			done = add(list, found->d_name, st.st_mtim);
		}
	}
	closedir(dir);
	return done;
}

/* Journals of one process that changed in the same tick stay in order: the shorter number first. */
static int compare(const void *left, const void *right)
{
	const entry *a = left, *b = right;
	if (a->changed.tv_sec != b->changed.tv_sec) {
		return a->changed.tv_sec < b->changed.tv_sec ? -1 : 1;
	}
	if (a->changed.tv_nsec != b->changed.tv_nsec) {
		return a->changed.tv_nsec < b->changed.tv_nsec ? -1 : 1;
	}
	size_t a_len = strlen(a->name), b_len = strlen(b->name);
	if (a_len != b_len) {
		return a_len < b_len ? -1 : 1;
	}
	return strcmp(a->name, b->name);
}

static int compare_names(const void *left, const void *right)
{
	return strcmp(((const entry *)left)->name, ((const entry *)right)->name);
}

/* A file that moved from live/ to sealed/ between the two looks was seen twice. */
static void drop_doubles(entry_list *list)
{
	size_t kept = 0;
	qsort(list->items, list->count, sizeof(*list->items), compare_names);
	for (size_t i = 0; i < list->count; i++) {
		if (kept == 0 || strcmp(list->items[kept - 1].name, list->items[i].name) != 0) {
			list->items[kept++] = list->items[i];
		}
	}
	list->count = kept;
}

long opa_journal_list(const opa_spool *spool, opa_journal_name **names)
{
	entry_list list = {0};
	*names = NULL;
	/* live/ first: files move to sealed/ and never back, so none is missed */
	if (!add_folder(&list, spool, "live") || !add_folder(&list, spool, "sealed")) {
		opa_free(list.items);
		return -1;
	}
	if (list.count == 0) {
		return 0;
	}
	drop_doubles(&list);
	qsort(list.items, list.count, sizeof(*list.items), compare);
	*names = opa_malloc(list.count * sizeof(**names));
	for (size_t i = 0; i < list.count && *names != NULL; i++) {
		memcpy((*names)[i], list.items[i].name, sizeof(**names));
	}
	opa_free(list.items);
	return *names != NULL ? (long)list.count : -1;
}

/* What opa_file_make() and opa_spool_replace_file() call a file while they make it. */
static bool is_tmp_name(const char *name)
{
	return is_journal_name(name) || opa_control_is_name(name) ||
		   (strspn(name, "0123456789abcdef") == 32 && strcmp(name + 32, ".t") == 0);
}

void opa_journal_clean_tmp(const opa_spool *spool)
{
	DIR *dir = opa_file_open_folder(spool->dir, "tmp");
	if (dir == NULL) {
		return;
	}
	long long now = (long long)(opa_clock_wall() / 1000000000u);
	for (struct dirent *found = readdir(dir); found != NULL; found = readdir(dir)) {
		struct stat st;
		int fd =
			is_tmp_name(found->d_name) ? opa_file_open(spool, "tmp", found->d_name, false) : -1;
		if (fd < 0) {
			continue;
		}
		/* The lock is held while the name goes: whoever still makes this file then fails to
		   lock it and gives it up. */
		if (fstat(fd, &st) == 0 && (long long)st.st_mtim.tv_sec < now - 60 &&
			flock(fd, LOCK_EX | LOCK_NB) == 0) {
			unlinkat(dirfd(dir), found->d_name, 0);
		}
		close(fd);
	}
	closedir(dir);
}
