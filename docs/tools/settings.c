/* Prints the table of docs/settings.md from the list in opa_config.h. Built and run by ./dev docs.
 */
#include "../../opa_config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const modes[] = {"SYSTEM", "PERDIR", "ALL"};
static const char *const types[] = {"on/off", "count", "share", "bytes", "time", "text", "path",
	"level", "URL", "URL", "list", "name", "rules"};

/* A list of names between backquotes. */
static void print_variables(const char *names)
{
	for (const char *name = names; *name != '\0';) {
		size_t len = strcspn(name, ",");
		printf("%s`%.*s`", name == names ? "" : ", ", (int)len, name);
		name += len + (name[len] == ',');
	}
}

int main(void)
{
	puts("| name | default | unit | allowed | mode | variable | what |");
	puts("| --- | --- | --- | --- | --- | --- | --- |");
	for (opa_setting setting = 0; setting < OPA_SETTING_COUNT; setting++) {
		const opa_setting_info *info = opa_setting_get_info(setting);
		char expects[128];
		opa_setting_expects(setting, expects, sizeof(expects));
		printf("| `%s` | ", info->name);
		if (setting == OPA_SETTING_REDACT) {
			printf("see below");
		} else if (*info->def != '\0') {
			printf("`%s`", info->def);
		}
		printf(" | %s | %s | %s | ", types[info->type], expects, modes[info->mode]);
		print_variables(info->variables);
		printf(" | %s |\n", info->text);
	}
	printf("\n`opa.redact`, by default: `%s`\n", opa_setting_get_info(OPA_SETTING_REDACT)->def);
	return 0;
}
