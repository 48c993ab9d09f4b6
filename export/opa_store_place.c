#include "opa_store_internal.h"

#include "../core/opa_alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "traces.db"

#define NO_GROUP ((gid_t)-1)

/* A place for the store that is being looked at. */
typedef struct place {
	char dir[OPA_SPOOL_PATH_MAX];
	char file[OPA_SPOOL_PATH_MAX]; /* the file's name in it */
	bool named;                    /* by opa.store_path: a directory that may hold more than ours */
	bool made;                     /* made just now */
} place;

static void say(char *problem, size_t size, const char *what, const char *path, const char *why)
{
	snprintf(problem, size, "%s %s: %s", what, path, why);
}

static bool format_path(char *to, const char *dir, const char *name)
{
	int n = snprintf(to, OPA_SPOOL_PATH_MAX, "%s/%s", dir, name);
	return n > 0 && n < OPA_SPOOL_PATH_MAX;
}

/* mkdir -p, mode 0700; *made when the last component is new. */
static bool make_directories(const char *path, bool *made)
{
	char partial[OPA_SPOOL_PATH_MAX];
	size_t len = strlen(path);
	*made = false;
	if (len == 0 || len >= sizeof(partial)) {
		errno = ENAMETOOLONG;
		return false;
	}
	for (size_t i = 1; i <= len; i++) {
		if (path[i] != '/' && path[i] != '\0') {
			continue;
		}
		memcpy(partial, path, i);
		partial[i] = '\0';
		*made = mkdir(partial, 0700) == 0;
		if (!*made && errno != EEXIST && access(partial, F_OK) != 0) {
			return false;
		}
	}
	return true;
}

/* Whether the deepest part of the path that exists is a directory of the effective user. */
static bool is_own_ground(const char *path)
{
	char partial[OPA_SPOOL_PATH_MAX];
	struct stat st;
	if (strlen(path) >= sizeof(partial)) {
		return false;
	}
	strcpy(partial, path);
	while (stat(partial, &st) != 0) {
		char *slash = strrchr(partial, '/');
		if (errno != ENOENT || slash == NULL || slash == partial) {
			return false;
		}
		*slash = '\0';
	}
	return S_ISDIR(st.st_mode) && st.st_uid == geteuid() && access(partial, W_OK | X_OK) == 0;
}

static bool take_state_directory(place *at, const char *base, const char *below)
{
	return base != NULL && base[0] == '/' && format_path(at->dir, base, below) &&
		   is_own_ground(at->dir) && make_directories(at->dir, &at->made);
}

/* ~/.local/state/opa, unless the home directory does not exist: then nobody wants one made. */
static bool take_home(place *at, const char *home)
{
	struct stat st;
	return home != NULL && stat(home, &st) == 0 &&
		   take_state_directory(at, home, ".local/state/opa");
}

static bool take_package_directory(place *at)
{
	struct stat st;
	snprintf(at->dir, sizeof(at->dir), "/var/lib/opa/%lu", (unsigned long)geteuid());
	return stat(at->dir, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid();
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), want = strlen(end);
	return len > want && strcmp(text + len - want, end) == 0;
}

/* opa.store_path: a directory, or a file whose name ends in .db. */
static bool take_named(place *at, const char *path, char *problem, size_t size)
{
	at->named = true;
	if (path[0] != '/' || strlen(path) >= sizeof(at->dir)) {
		say(problem, size, "opa.store_path", path, "is not an absolute path");
		return false;
	}
	strcpy(at->dir, path);
	if (ends_with(path, ".db")) {
		char *slash = strrchr(at->dir, '/');
		strcpy(at->file, slash + 1);
		*slash = '\0';
		if (slash == at->dir) {
			strcpy(at->dir, "/");
		}
	}
	if (!make_directories(at->dir, &at->made)) {
		say(problem, size, "cannot make the store's directory", at->dir, strerror(errno));
		return false;
	}
	return true;
}

static bool choose(place *at, const opa_store_options *options, char *problem, size_t size)
{
	memset(at, 0, sizeof(*at));
	strcpy(at->file, FILE_NAME);
	if (options->path != NULL) {
		return take_named(at, options->path, problem, size);
	}
	if (take_package_directory(at) || take_state_directory(at, options->state_dir, "opa") ||
		take_home(at, options->home)) {
		return true;
	}
	if (options->group != NULL) {
		snprintf(problem, size,
			"opa.store_group has no effect: the store is in the spool, which is"
			" private; set opa.store_path");
	}
	if (!format_path(at->dir, options->spool, "store") || !make_directories(at->dir, &at->made)) {
		say(problem, size, "cannot make the store's directory", at->dir, strerror(errno));
		return false;
	}
	return true;
}

static bool find_group(const char *name, gid_t *group, char *problem, size_t size)
{
	*group = NO_GROUP;
	if (name == NULL) {
		return true;
	}
	const struct group *found = getgrnam(name);
	if (found == NULL) {
		say(problem, size, "opa.store_group", name, "there is no such group");
		return false;
	}
	*group = found->gr_gid;
	return true;
}

/*
 * The directory must be one in which nobody but its owner (the user, or root, where the
 * administrator named it) and perhaps a group can put files under our names.
 */
static bool check_directory(const place *at, struct stat *st, char *problem, size_t size)
{
	if (stat(at->dir, st) != 0) {
		say(problem, size, "cannot use the store's directory", at->dir, strerror(errno));
		return false;
	}
	if (!S_ISDIR(st->st_mode)) {
		say(problem, size, "cannot use the store's directory", at->dir, "it is no directory");
		return false;
	}
	if (st->st_uid != geteuid() && !(at->named && st->st_uid == 0)) {
		say(problem, size, "cannot use the store's directory", at->dir, "belongs to another user");
		return false;
	}
	if (st->st_mode & S_IWOTH) {
		say(problem, size, "cannot use the store's directory", at->dir,
			"everybody may write to it");
		return false;
	}
	return true;
}

/* A directory that the user named and had already keeps its mode, but for what the group needs. */
static bool open_directory_to(const place *at, const struct stat *st, gid_t group)
{
	bool ours = at->made || !at->named;
	if (st->st_uid != geteuid()) {
		return true;
	}
	if (group == NO_GROUP) {
		return !ours || (st->st_mode & 07777) == 0700 || chmod(at->dir, 0700) == 0;
	}
	if (st->st_gid != group && chown(at->dir, (uid_t)-1, group) != 0) {
		return false;
	}
	mode_t mode = ours ? 02750 : ((st->st_mode & 07777) | 02050);
	return (st->st_mode & 07777) == mode || chmod(at->dir, mode) == 0;
}

/* Group and mode of a file of ours. SQLite gives its side files those of the main one. */
static bool open_file_to(const char *path, const struct stat *st, gid_t group)
{
	mode_t mode = group == NO_GROUP ? 0600 : 0640;
	if (group != NO_GROUP && st->st_gid != group && lchown(path, (uid_t)-1, group) != 0) {
		return false;
	}
	return (st->st_mode & 07777) == mode || chmod(path, mode) == 0;
}

static bool make_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		return errno == EEXIST;
	}
	close(fd);
	return true;
}

/*
 * The store's file or one of its side files. A file that exists is never opened here: another
 * connection of this process may have it open, and closing any descriptor of a file drops all
 * fcntl(2) locks that the process has on it, SQLite's too.
 */
static bool prepare_file(
	const char *path, bool make, gid_t group, bool *opened_up, char *problem, size_t size)
{
	struct stat st;
	bool there = lstat(path, &st) == 0;
	if (!there && errno == ENOENT) {
		if (!make) {
			return true;
		}
		there = make_file(path) && lstat(path, &st) == 0;
	}
	if (!there) {
		say(problem, size, "cannot open the store", path, strerror(errno));
		return false;
	}
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid()) {
		say(problem, size, "cannot open the store", path, "it is not a file of this user");
		return false;
	}
	if (!open_file_to(path, &st, group)) {
		*opened_up = false;
	}
	return true;
}

static bool prepare_files(
	const char *path, bool must_exist, gid_t group, bool *opened_up, char *problem, size_t size)
{
	static const char *const sides[] = {"-wal", "-shm"};
	if (!prepare_file(path, !must_exist, group, opened_up, problem, size)) {
		return false;
	}
	for (size_t i = 0; i < 2; i++) {
		char side[OPA_SPOOL_PATH_MAX + 8];
		snprintf(side, sizeof(side), "%s%s", path, sides[i]);
		if (!prepare_file(side, false, group, opened_up, problem, size)) {
			return false;
		}
	}
	return true;
}

char *opa_store_place(const opa_store_options *options, char *problem, size_t size)
{
	place at;
	struct stat st;
	gid_t group;
	char real[OPA_SPOOL_PATH_MAX], path[OPA_SPOOL_PATH_MAX];
	problem[0] = '\0';
	if (!choose(&at, options, problem, size) || !check_directory(&at, &st, problem, size)) {
		return NULL;
	}
	if (!find_group(options->group, &group, problem, size)) {
		group = NO_GROUP;
	}
	/* Links above the directory are the user's business; SQLite is told to follow none. */
	if (realpath(at.dir, real) == NULL ||
		!format_path(path, strcmp(real, "/") ? real : "", at.file)) {
		say(problem, size, "cannot use the store's directory", at.dir, strerror(errno));
		return NULL;
	}
	if (options->must_exist && access(path, F_OK) != 0) {
		problem[0] = '\0';
		return NULL;
	}
	bool opened_up = open_directory_to(&at, &st, group);
	if (!prepare_files(path, options->must_exist, group, &opened_up, problem, size)) {
		return NULL;
	}
	if (!opened_up) {
		say(problem, size, "cannot give the store to the group",
			options->group ? options->group : "-", "not allowed; the user must be a member of it");
	}
	char *copy = opa_strndup(path, strlen(path));
	if (copy == NULL) {
		snprintf(problem, size, "out of memory");
	}
	return copy;
}
