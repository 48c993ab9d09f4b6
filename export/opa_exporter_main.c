#include "opa_exporter.h"
#include "opa_sender.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"Usage: opa-exporter --spool DIR [--once [--local]] [--idle SECONDS]\n"
	"       opa-exporter --check <DEFINITION\n"
	"       opa-exporter --send [--patience SECONDS]\n"
	"\n"
	"Brings the traces that PHP processes left in the spool DIR into the store, or to the collector\n"
	"that their settings name. PHP starts it by itself; it leaves when there is nothing more to do.\n"
	"\n"
	"  --spool DIR      the directory, as `opa status` prints it\n"
	"  --once           bring in what is there now, then leave\n"
	"  --local          only what goes into a local store; no collector is spoken to\n"
	"  --idle SECONDS   leave after so long without traces and without a PHP process (60)\n"
	"  --lease-fd N     descriptor of the locked DIR/lease; for whoever starts it\n"
	"  --check          send one request without a span to the collector that standard input\n"
	"                   defines, as a file of DIR/dest/ does, and say what it answers\n"
	"  --send           for `opa send`: ship the traces that come on standard input\n"
	"  --patience SECONDS  with --send: how long a collector may take nothing (60)\n"
	"  --help, --version\n"
	"\n"
	"Exit status: 0 done, or another opa-exporter serves the spool; 1 something stood in the way;\n"
	"2 wrong usage; 3 with --once, another opa-exporter serves the spool.\n";

typedef struct arguments {
	opa_exporter_options options;
	bool check;
	bool send;
	unsigned patience;
} arguments;

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
static bool set_option(arguments *a, const char *name, const char *value)
{
	long number = 0;
	if (strcmp(name, "--spool") == 0) {
		a->options.spool = value;
		return value[0] != '\0';
	}
	if (!parse_number(value, INT_MAX, &number)) {
		return false;
	}
	if (strcmp(name, "--idle") == 0) {
		a->options.idle_seconds = (unsigned)number;
	} else if (strcmp(name, "--patience") == 0) {
		a->patience = (unsigned)number;
	} else {
		a->options.lease_fd = (int)number;
	}
	return true;
}

static bool takes_value(const char *name)
{
	return strcmp(name, "--spool") == 0 || strcmp(name, "--idle") == 0 ||
		   strcmp(name, "--lease-fd") == 0 || strcmp(name, "--patience") == 0;
}

/* An option without one: false when there is none of that name. */
static bool set_switch(arguments *a, const char *name)
{
	const struct {
		const char *name;
		bool *to;
	} switches[] = {{"--once", &a->options.once}, {"--local", &a->options.local},
		{"--check", &a->check}, {"--send", &a->send}};
	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		if (strcmp(name, switches[i].name) == 0) {
			*switches[i].to = true;
			return true;
		}
	}
	return false;
}

/* -1 to go on, else the exit code. */
static int parse(int argc, char **argv, arguments *a)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			return fputs(help, stdout) < 0;
		}
		if (strcmp(argv[i], "--version") == 0) {
			return puts("opa-exporter " OPA_VERSION_TEXT) < 0;
		}
		if (set_switch(a, argv[i])) {
			continue;
		}
		if (!takes_value(argv[i])) {
			return complain("unknown argument ", argv[i]);
		} else if (i + 1 == argc) {
			return complain("a value is missing after ", argv[i]);
		} else if (!set_option(a, argv[i], argv[i + 1])) {
			return complain("wrong value for ", argv[i]);
		} else {
			i++;
		}
	}
	if ((a->options.spool != NULL) + a->check + a->send > 1) {
		return complain("only one of --spool, --check and --send can be done", "");
	}
	bool any = a->options.spool != NULL || a->check || a->send;
	return any ? -1 : complain("--spool is missing", "");
}

static opa_exporter_result run(const opa_exporter_options *options)
{
	char problem[512];
	opa_exporter_result result = opa_exporter_run(options, problem, sizeof(problem));
	if (problem[0] != '\0') {
		fprintf(stderr, "opa-exporter: %s\n", problem);
	}
	return result;
}

int main(int argc, char **argv)
{
	arguments a = {.options = {.lease_fd = -1, .idle_seconds = OPA_EXPORTER_IDLE_SECONDS},
		.patience = OPA_SENDER_PATIENCE_SECONDS};
	int code = parse(argc, argv, &a);
	if (code >= 0) {
		return code;
	}
	if (a.check) {
		return (int)opa_sender_check(stdin, stdout, stderr);
	}
	if (a.send) {
		return (int)opa_sender_run(stdin, stdout, stderr, a.patience);
	}
	return (int)run(&a.options);
}
