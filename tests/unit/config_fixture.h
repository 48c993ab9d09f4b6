/*
 * What the tests of the settings share: INI values that are all defaults until a test sets one, an
 * environment of the test's own, the warnings counted, and a reader of the resource.
 */
#ifndef OPA_TEST_CONFIG_FIXTURE_H
#define OPA_TEST_CONFIG_FIXTURE_H

#include "support.h"
#include "opa_config.h"
#include "core/opa_alloc.h"
#include "core/opa_host.h"
#include "core/opa_sampler.h"

#define CONFIG_FIXTURE_MAX 16

typedef struct config_fixture {
	opa_config_input input;
	opa_identity identity;
	const char *names[CONFIG_FIXTURE_MAX];
	const char *values[CONFIG_FIXTURE_MAX];
	unsigned variables;
	unsigned warnings; /* of all that were made */
	char warning[512]; /* the last one */
	opa_config *configs[64];
	unsigned made;
} config_fixture;

/* As for several threads: what it answers is a copy, which takes memory. */
static inline bool fixture_getenv(void *user, const char *name, const char **value)
{
	config_fixture *f = user;
	*value = NULL;
	for (unsigned i = 0; i < f->variables; i++) {
		if (strcmp(f->names[i], name) == 0) {
			*value = f->values[i];
		}
	}
	char *block = *value == NULL ? NULL : opa_malloc(1);
	bool done = *value == NULL || block != NULL;
	opa_free(block);
	return done;
}

static inline int config_setup(void **state)
{
	config_fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	for (opa_setting setting = 0; setting < OPA_SETTING_COUNT; setting++) {
		f->input.ini[setting] = str(opa_setting_get_info(setting)->def);
	}
	f->input.getenv = fixture_getenv;
	f->input.user = f;
	f->input.sapi = "cli";
	f->input.php_version = "8.2.0";
	f->input.opa_version = "0.1.0";
	f->input.identity = &f->identity;
	opa_identity_gather(&f->identity);
	*state = f;
	return 0;
}

static inline int config_teardown(void **state)
{
	config_fixture *f = *state;
	for (unsigned i = 0; i < f->made; i++) {
		opa_config_release(f->configs[i]);
	}
	free(f);
	return 0;
}

/* As php.ini would set it. The text must live as long as the fixture is used. */
static inline void set_ini(config_fixture *f, opa_setting setting, const char *text)
{
	assert_true(opa_setting_accepts(setting, str(text)));
	f->input.ini[setting] = str(text);
	f->input.given[setting] = true;
}

/* NULL: it stays unset. */
static inline void set_env(config_fixture *f, const char *name, const char *value)
{
	assert_true(f->variables < CONFIG_FIXTURE_MAX);
	f->names[f->variables] = name;
	f->values[f->variables++] = value;
}

/* The fixture frees it. */
static inline opa_config *make(config_fixture *f)
{
	assert_true(f->made < sizeof(f->configs) / sizeof(f->configs[0]));
	opa_config *config = opa_config_create(&f->input);
	assert_non_null(config);
	f->configs[f->made++] = config;
	for (const char *line = config->warnings; line != NULL && *line != '\0';) {
		size_t len = strcspn(line, "\n");
		f->warnings++;
		snprintf(f->warning, sizeof(f->warning), "%.*s", (int)len, line);
		line += len + 1;
	}
	return config;
}

#endif
