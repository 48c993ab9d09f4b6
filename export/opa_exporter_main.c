#include "opa_exporter.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"Usage: opa-exporter --spool DIR [--once [--local]] [--idle SECONDS]\n"
	"\n"
	"Brings the traces that PHP processes left in the spool DIR into the store, or to the collector\n"
	"that their settings name. PHP starts it by itself; it leaves when there is nothing more to do.\n"
	"\n"
	"  --spool DIR      the directory, as `opa status` prints it\n"
	"  --once           bring in what is there now, then leave\n"
	"  --local          only what goes into a local store; no collector is spoken to\n"
	"  --idle SECONDS   leave after so long without traces and without a PHP process (60)\n"
	"  --lease-fd N     descriptor of the locked DIR/lease; for whoever starts it\n"
	"  --help, --version\n"
	"\n"
	"Exit status: 0 done, or another opa-exporter serves the spool; 1 something stood in the way;\n"
	"2 wrong usage; 3 with --once, another opa-exporter serves the spool.\n";

static int complain(const char *what, const char *argument)
{
	fprintf(stderr, "opa-exporter: %s%s (see --help)\n", what, argument);
	return OPA_EXPORTER_USAGE;
}

static bool parse_number(const char *text, long most, long *number)
{
	char *end;
	errno = 0;
	*number = strtol(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && *number >= 0 && *number <= most;
}

/* An option with a value: false when it is wrong. */
static bool set_option(opa_exporter_options *options, const char *name, const char *value)
{
	long number = 0;
	if (strcmp(name, "--spool") == 0) {
		options->spool = value;
		return value[0] != '\0';
	}
	if (!parse_number(value, INT_MAX, &number)) {
		return false;
	}
	if (strcmp(name, "--idle") == 0) {
		options->idle_seconds = (unsigned)number;
	} else {
		options->lease_fd = (int)number;
	}
	return true;
}

static bool takes_value(const char *name)
{
	return strcmp(name, "--spool") == 0 || strcmp(name, "--idle") == 0 ||
		   strcmp(name, "--lease-fd") == 0;
}

/* -1 to go on, else the exit code. */
static int parse(int argc, char **argv, opa_exporter_options *options)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			return fputs(help, stdout) < 0;
		}
		if (strcmp(argv[i], "--version") == 0) {
			return puts("opa-exporter " OPA_VERSION_TEXT) < 0;
		}
		if (strcmp(argv[i], "--once") == 0) {
			options->once = true;
		} else if (strcmp(argv[i], "--local") == 0) {
			options->local = true;
		} else if (!takes_value(argv[i])) {
			return complain("unknown argument ", argv[i]);
		} else if (i + 1 == argc) {
			return complain("a value is missing after ", argv[i]);
		} else if (!set_option(options, argv[i], argv[i + 1])) {
			return complain("wrong value for ", argv[i]);
		} else {
			i++;
		}
	}
	return options->spool != NULL ? -1 : complain("--spool is missing", "");
}

int main(int argc, char **argv)
{
	opa_exporter_options options = {.lease_fd = -1, .idle_seconds = OPA_EXPORTER_IDLE_SECONDS};
	char problem[512];
	int code = parse(argc, argv, &options);
	if (code >= 0) {
		return code;
	}
	opa_exporter_result result = opa_exporter_run(&options, problem, sizeof(problem));
	if (problem[0] != '\0') {
		fprintf(stderr, "opa-exporter: %s\n", problem);
	}
	return (int)result;
}
