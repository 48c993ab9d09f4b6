/* Where code was loaded from, and what lies beside it. */
#include "support.h"
#include "core/opa_alloc.h"
#include "core/opa_outlet.h"
#include "core/opa_place.h"

#include <dlfcn.h>
#include <limits.h>
#include <unistd.h>

/* The directory of this program, by the kernel's own answer. */
static void own_directory(char dir[PATH_MAX])
{
	ssize_t len = readlink("/proc/self/exe", dir, PATH_MAX - 1);
	assert_true(len > 0);
	dir[len] = '\0';
	*strrchr(dir, '/') = '\0';
}

static void a_file_is_named_beside_the_code_whether_it_exists_or_not(void **state)
{
	(void)state;
	char dir[PATH_MAX], expected[PATH_MAX + 32];
	own_directory(dir);
	snprintf(expected, sizeof(expected), "%s/opa no such file", dir);
	char *path = opa_place_beside((const void *)&own_directory, "opa no such file");
	assert_non_null(path);
	assert_string_equal(path, expected);
	opa_free(path);
}

static void code_of_a_library_is_where_the_library_is(void **state)
{
	(void)state;
	char *path = opa_place_beside(dlsym(RTLD_DEFAULT, "malloc"), "");
	char *cmocka = opa_place_beside(dlsym(RTLD_DEFAULT, "_cmocka_run_group_tests"), "x");
	assert_non_null(path);
	assert_non_null(cmocka);
	assert_int_equal(path[0], '/');
	assert_int_equal(path[strlen(path) - 1], '/');
	assert_int_equal(access(path, X_OK), 0);
	assert_non_null(strstr(cmocka, "/lib"));
	opa_free(path);
	opa_free(cmocka);
}

/* A build that is reached by a symbolic link has its files where the link leads. */
static void links_are_followed(void **state)
{
	(void)state;
	char dir[] = "/tmp/opa-place-XXXXXX", self[PATH_MAX], link[64], expected[PATH_MAX + 8];
	assert_non_null(mkdtemp(dir));
	own_directory(self);
	snprintf(expected, sizeof(expected), "%s/x\n", self);
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	assert_true(len > 0);
	self[len] = '\0';
	snprintf(link, sizeof(link), "%s/program", dir);
	assert_int_equal(symlink(self, link), 0);
	char command[128], answer[PATH_MAX + 8] = "";
	snprintf(command, sizeof(command), "%s beside x", link);
	FILE *pipe = popen(command, "r");
	assert_non_null(pipe);
	assert_non_null(fgets(answer, sizeof(answer), pipe));
	assert_int_equal(pclose(pipe), 0);
	unlink(link);
	rmdir(dir);
	assert_string_equal(answer, expected);
}

static void an_address_that_is_no_code_has_no_place(void **state)
{
	(void)state;
	char *block = malloc(16);
	assert_null(opa_place_beside(NULL, "x"));
	assert_null(opa_place_beside(block, "x"));
	free(block);
}

static void a_name_too_long_for_any_path_is_refused(void **state)
{
	(void)state;
	char *name = malloc(2 * PATH_MAX);
	memset(name, 'x', 2 * PATH_MAX);
	name[2 * PATH_MAX - 1] = '\0';
	assert_null(opa_place_beside((const void *)&own_directory, name));
	free(name);
}

static void without_memory_there_is_no_answer(void **state)
{
	(void)state;
	opa_alloc_fail_after(0, false);
	assert_null(opa_place_beside((const void *)&own_directory, "x"));
	opa_alloc_fail_after(-1, false);
}

/* The test vectors of FNV's authors: files of other processes are named by it. */
static void a_destinations_id_is_fnv_1a(void **state)
{
	(void)state;
	assert_true(opa_destination_id("") == 0xcbf29ce484222325u);
	assert_true(opa_destination_id("a") == 0xaf63dc4c8601ec8cu);
	assert_true(opa_destination_id("foobar") == 0x85944171f73967e8u);
	assert_true(opa_destination_id("\xff") == 0xaf64724c8602eb6eu);
}

/* "beside NAME": says what the program says of itself, for a test that starts it by a link. */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_named_beside_the_code_whether_it_exists_or_not),
		cmocka_unit_test(code_of_a_library_is_where_the_library_is),
		cmocka_unit_test(links_are_followed),
		cmocka_unit_test(an_address_that_is_no_code_has_no_place),
		cmocka_unit_test(a_name_too_long_for_any_path_is_refused),
		cmocka_unit_test(without_memory_there_is_no_answer),
		cmocka_unit_test(a_destinations_id_is_fnv_1a),
	};
	if (argc == 3 && strcmp(argv[1], "beside") == 0) {
		char *path = opa_place_beside((const void *)&own_directory, argv[2]);
		puts(path == NULL ? "" : path);
		opa_free(path);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
