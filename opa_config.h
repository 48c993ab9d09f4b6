/*
 * The settings: their list, how each is read, and the immutable structs that come of them. Plain C:
 * whoever knows PHP hands in the INI values and a way to ask the environment.
 *
 * For each setting the order is: a value given in php.ini, a pool file or with -d; the environment
 * variable; the default. A variable that is empty counts as unset; one that cannot be read is
 * ignored, and the config has a line that says so. Names that a variable may have (of a sampler,
 * say) are compared without case, as OpenTelemetry wants it.
 */
#ifndef OPA_CONFIG_H
#define OPA_CONFIG_H

#include "opa_span.h"
#include "core/opa_redact.h"
#include "core/opa_outlet.h"
#include "core/opa_propagation.h"
#include "core/opa_sample_rules.h"

#include <stdatomic.h>

typedef enum opa_setting_type {
	OPA_TYPE_BOOL,
	OPA_TYPE_COUNT,    /* a whole number, min to max */
	OPA_TYPE_RATE,     /* 0 to 1 */
	OPA_TYPE_SIZE,     /* bytes, min to max */
	OPA_TYPE_DURATION, /* nanoseconds, min to max */
	OPA_TYPE_TEXT,
	OPA_TYPE_PATH, /* absolute, or empty */
	OPA_TYPE_LEVEL,
	OPA_TYPE_ENDPOINT,    /* a collector's URL, or empty: core/opa_address.h */
	OPA_TYPE_PROXY,       /* a proxy's URL, or empty */
	OPA_TYPE_HEADERS,     /* name=value,name=value */
	OPA_TYPE_COMPRESSION, /* gzip or none */
	OPA_TYPE_RULES,       /* core/opa_sample_rules.h */
} opa_setting_type;

typedef enum opa_setting_mode {
	OPA_MODE_SYSTEM, /* php.ini, pool, -d */
	OPA_MODE_PERDIR, /* also .htaccess, .user.ini */
	OPA_MODE_ALL,    /* also ini_set() */
} opa_setting_mode;

typedef enum opa_log_level {
	OPA_LOG_OFF,
	OPA_LOG_ERROR,
	OPA_LOG_WARNING,
	OPA_LOG_DEBUG,
} opa_log_level;

#define OPA_REDACT_DEFAULT                                                                                                          \
	"*password*,*passwd*,*passphrase*,pass,*_pass,pwd,*_pwd,otp,jwt,*secret*,*token*,*api_key*,*apikey*,*api-key*,*authorization*," \
	"*cookie*,*credential*,*private_key*,signature,*.signature,sig,code,auth,session_id,"                                           \
	"sessionid,phpsessid,sid,x-amz-signature,x-amz-credential,x-goog-signature,awsaccesskeyid"

#define OPA_MS     ((uint64_t)1000000)
#define OPA_SECOND (1000 * OPA_MS)
#define OPA_DAY    (86400 * OPA_SECOND)
#define OPA_KIB    ((uint64_t)1024)
#define OPA_MIB    (1024 * OPA_KIB)
#define OPA_TIB    (1024 * 1024 * OPA_MIB)

/*
 * id, name, default, type, mode, min, max, environment variables (in order), what it is.
 * docs/settings.md is made of this table.
 */
#define OPA_SETTINGS(X)                                                                            \
	X(ENABLED, "enabled", "1", BOOL, ALL, 0, 0, "OTEL_SDK_DISABLED",                               \
		"Whether requests are traced.")                                                            \
	X(SERVICE_NAME, "service_name", "", TEXT, PERDIR, 0, 0, "OTEL_SERVICE_NAME",                   \
		"`service.name` of the traces; empty: `unknown_service:php`.")                             \
	X(RESOURCE_ATTRIBUTES, "resource_attributes", "", TEXT, PERDIR, 0, 0,                          \
		"OTEL_RESOURCE_ATTRIBUTES",                                                                \
		"More attributes of the resource: `key=value,key=value`, values percent-encoded.")         \
	X(SAMPLE_RATE, "sample_rate", "1", RATE, PERDIR, 0, 1,                                         \
		"OTEL_TRACES_SAMPLER,OTEL_TRACES_SAMPLER_ARG", "Share of the traces that is kept.")        \
	X(SAMPLE_RULES, "sample_rules", "", RULES, PERDIR, 0, 0, "",                                   \
		"Shares by method, path, service and SAPI; the first rule that matches counts.")           \
	X(RATE_LIMIT, "rate_limit", "0", COUNT, SYSTEM, 0, 100000, "",                                 \
		"Traces that begin in a second, over all processes of the spool, at most; 0: no bound.")   \
	X(KEEP_ERRORS, "keep_errors", "0", BOOL, PERDIR, 0, 0, "",                                     \
		"Whether a trace with an error is kept, also one that was not wanted at its start.")       \
	X(KEEP_SLOW, "keep_slow", "0", DURATION, PERDIR, 0, OPA_DAY, "",                               \
		"Duration from which a trace is kept, also one that was not wanted; 0: none is.")          \
	X(TRACE_CLI, "trace_cli", "1", BOOL, SYSTEM, 0, 0, "",                                         \
		"Whether scripts on the command line are traced.")                                         \
	X(CLI_ARGS, "cli_args", "0", BOOL, SYSTEM, 0, 0, "",                                           \
		"Whether a script's arguments are recorded. They may hold secrets.")                       \
	X(TRUST_PROXY, "trust_proxy", "0", BOOL, PERDIR, 0, 0, "",                                     \
		"Whether `Forwarded` and `X-Forwarded-*` tell client, host and scheme.")                   \
	X(TRUST_INCOMING, "trust_incoming", "1", BOOL, PERDIR, 0, 0, "",                               \
		"Whether what the caller sends along (see `opa.propagators`) continues its trace.")        \
	X(PROPAGATORS, "propagators", "tracecontext,baggage", TEXT, PERDIR, 0, 0, "OTEL_PROPAGATORS",  \
		"How traces come and go: `tracecontext`, `baggage`, `b3`, `b3multi`; `none`.")             \
	X(RESPONSE_HEADER, "response_header", "0", BOOL, PERDIR, 0, 0, "",                             \
		"Whether answers have the headers `traceresponse` and `Server-Timing` with the trace.")    \
	X(REDACT, "redact", OPA_REDACT_DEFAULT, TEXT, SYSTEM, 0, 0, "",                                \
		"Attribute keys and query parameters whose values are replaced; `*` is a wildcard.")       \
	X(TRACE_ROTATE, "trace_rotate", "60s", DURATION, SYSTEM, 0, OPA_DAY, "",                       \
		"Age at which a script's trace is ended and a new one begun; 0: never.")                   \
	X(MAX_ATTRIBUTES, "max_attributes", "128", COUNT, SYSTEM, 0, 65535,                            \
		"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT,OTEL_ATTRIBUTE_COUNT_LIMIT",                              \
		"Attributes of a span, at most.")                                                          \
	X(MAX_EVENTS, "max_events", "128", COUNT, SYSTEM, 0, 65535, "OTEL_SPAN_EVENT_COUNT_LIMIT",     \
		"Events of a span, at most.")                                                              \
	X(MAX_LINKS, "max_links", "128", COUNT, SYSTEM, 0, 65535, "OTEL_SPAN_LINK_COUNT_LIMIT",        \
		"Links of a span, at most.")                                                               \
	X(MAX_VALUE_LENGTH, "max_value_length", "16K", SIZE, SYSTEM, 16, OPA_MIB,                      \
		"OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT,OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",                \
		"Bytes that are kept of a value, before invalid UTF-8 is replaced.")                       \
	X(MAX_TRACE_SIZE, "max_trace_size", "32M", SIZE, SYSTEM, 64 * OPA_KIB, 1024 * OPA_MIB, "",     \
		"Memory that one trace may take.")                                                         \
	X(SPOOL_DIR, "spool_dir", "", PATH, SYSTEM, 0, 0, "",                                          \
		"Where finished traces wait for the exporter; empty: searched. In a directory that has "   \
		"other things in it, belongs to somebody else or is open to others: `<euid>` below it.")   \
	X(SPOOL_MAX_SIZE, "spool_max_size", "0", SIZE, SYSTEM, 0, OPA_TIB, "",                         \
		"What may wait there; 0: 64M, or less on a small file system or cgroup.")                  \
	X(STORE_PATH, "store_path", "", PATH, SYSTEM, 0, 0, "",                                        \
		"Directory or `.db` file of the local store; empty: searched.")                            \
	X(STORE_MAX_SIZE, "store_max_size", "1G", SIZE, SYSTEM, 0, OPA_TIB, "",                        \
		"Size of the local store, at most; 0: no bound.")                                          \
	X(STORE_MAX_AGE, "store_max_age", "7d", DURATION, SYSTEM, 0, 36500 * OPA_DAY, "",              \
		"Age of a trace in the local store, at most; 0: no bound.")                                \
	X(STORE_GROUP, "store_group", "", TEXT, SYSTEM, 0, 0, "",                                      \
		"A group that may read the local store.")                                                  \
	X(ENDPOINT, "endpoint", "", ENDPOINT, SYSTEM, 0, 0,                                            \
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,OTEL_EXPORTER_OTLP_ENDPOINT",                          \
		"A collector, `http://collector:4318`, that traces are sent to; empty: the local store.")  \
	X(HEADERS, "headers", "", HEADERS, SYSTEM, 0, 0,                                               \
		"OTEL_EXPORTER_OTLP_TRACES_HEADERS,OTEL_EXPORTER_OTLP_HEADERS",                            \
		"Headers for it: `name=value,name=value`, values percent-encoded; never shown.")           \
	X(TIMEOUT, "timeout", "10s", DURATION, SYSTEM, 100 * OPA_MS, 600 * OPA_SECOND,                 \
		"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT,OTEL_EXPORTER_OTLP_TIMEOUT,OTEL_BSP_EXPORT_TIMEOUT",    \
		"What one batch may take, until its answer is there.")                                     \
	X(COMPRESSION, "compression", "gzip", COMPRESSION, SYSTEM, 0, 0,                               \
		"OTEL_EXPORTER_OTLP_TRACES_COMPRESSION,OTEL_EXPORTER_OTLP_COMPRESSION",                    \
		"How what is sent is packed.")                                                             \
	X(BATCH_SIZE, "batch_size", "512K", SIZE, SYSTEM, 4 * OPA_KIB, 32 * OPA_MIB, "",               \
		"Bytes, before they are packed, at which a batch is sent.")                                \
	X(LINGER, "linger", "1s", DURATION, SYSTEM, 0, 60 * OPA_SECOND, "OTEL_BSP_SCHEDULE_DELAY",     \
		"Age at which a smaller batch is sent.")                                                   \
	X(CA_FILE, "ca_file", "", PATH, SYSTEM, 0, 0,                                                  \
		"OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE,OTEL_EXPORTER_OTLP_CERTIFICATE",                    \
		"Certificates that the collector's is checked against; empty: the system's.")              \
	X(CERT_FILE, "cert_file", "", PATH, SYSTEM, 0, 0,                                              \
		"OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE,OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",      \
		"The certificate to show to the collector.")                                               \
	X(KEY_FILE, "key_file", "", PATH, SYSTEM, 0, 0,                                                \
		"OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY,OTEL_EXPORTER_OTLP_CLIENT_KEY",                      \
		"The key of that certificate.")                                                            \
	X(PROXY, "proxy", "", PROXY, SYSTEM, 0, 0, "",                                                 \
		"A proxy, `http://proxy:3128`, on the way to the collector; empty: none.")                 \
	X(EXPORTER_PATH, "exporter_path", "", PATH, SYSTEM, 0, 0, "",                                  \
		"The program `opa-exporter`; empty: beside opa.so.")                                       \
	X(SHUTDOWN_TIMEOUT, "shutdown_timeout", "5s", DURATION, SYSTEM, 0, 600 * OPA_SECOND, "",       \
		"What the exporter has to finish with when it is told to stop.")                           \
	X(LOG_LEVEL, "log_level", "warning", LEVEL, SYSTEM, 0, 0, "",                                  \
		"What opa writes to PHP's error log: off, error, warning, debug.")

typedef enum opa_setting {
#define OPA_SETTING_ENUM(id, name, def, type, mode, min, max, variables, text) OPA_SETTING_##id,
	OPA_SETTINGS(OPA_SETTING_ENUM)
#undef OPA_SETTING_ENUM
		OPA_SETTING_COUNT
} opa_setting;

typedef struct opa_setting_info {
	const char *name; /* with its "opa." */
	const char *def;
	opa_setting_type type;
	opa_setting_mode mode;
	uint64_t min;
	uint64_t max;
	const char *variables;
	const char *text;
} opa_setting_info;

const opa_setting_info *opa_setting_get_info(opa_setting setting);

/* Whether the text is a value that the setting may have. */
bool opa_setting_accepts(opa_setting setting, opa_str text);

/* Whether the text may be shown as it stands: there are no credentials in it. */
bool opa_setting_may_show(opa_setting setting, opa_str text);

/* The text for people: credentials are replaced by REDACTED. Cut to what fits. */
void opa_setting_show(opa_setting setting, opa_str text, char *to, size_t size);

/* Reads "off" (or nothing), "error", "warning", "debug", in any case. */
bool opa_log_level_parse(opa_str text, opa_log_level *level);

/* What it may have, for people: "a size from 64K to 1G". */
void opa_setting_expects(opa_setting setting, char *to, size_t size);

typedef enum opa_config_source {
	OPA_FROM_DEFAULT,
	OPA_FROM_INI,
	OPA_FROM_ENVIRONMENT,
} opa_config_source;

/*
 * What machine and process the traces are of. It is gathered once in a process, from files, too,
 * and all configs of the process share it: one service.instance.id for each process.
 */
typedef struct opa_identity {
	uint64_t pid;
	char instance_id[37]; /* random */
	char host[256];
	char arch[64];
	char container[80];
} opa_identity;

void opa_identity_gather(opa_identity *identity);

/* What is to be turned into a config. All is lent for the call. */
typedef struct opa_config_input {
	opa_str ini[OPA_SETTING_COUNT]; /* the present INI values */
	bool given[OPA_SETTING_COUNT];  /* it was set by somebody: it is not just the default */
	/* *value is lent, too; NULL or "": unset. False when memory is short. */
	bool (*getenv)(void *user, const char *name, const char **value);
	void *user;
	bool server; /* its user's home may be a document root: nothing is looked for or put there */
	const char *sapi;
	const char *php_version;
	const char *opa_version;
	const char *exporter; /* where opa-exporter is when no setting says it; NULL: unknown */
	const opa_identity *identity;
} opa_config_input;

/* Immutable but for opa_config_renew(); threads share it. Lives as long as somebody holds it. */
typedef struct opa_config {
	atomic_uint holders;
	unsigned forks;                 /* the cache's: in which process it was made */
	char *texts[OPA_SETTING_COUNT]; /* the effective values as they were written */
	opa_config_source sources[OPA_SETTING_COUNT];
	const char *variables[OPA_SETTING_COUNT]; /* the one it came from, or NULL; static */
	opa_str
		given_ini[OPA_SETTING_COUNT]; /* what the lookup compares: the INI values it was made of */
	bool any_variable;                /* some OTEL_* variable was found */
	bool short_of_memory;             /* while it was made */
	char *warnings; /* what of the variables is ignored: lines of ASCII; NULL: nothing is */

	bool enabled;
	bool trace_cli;
	bool cli_args;
	bool trust_proxy;
	bool trust_incoming;
	bool response_header;
	bool sample_alone; /* whatever the caller of a request has decided */
	bool sample_told;  /* sampling is set up: traces say by which probability they were chosen */
	bool keep_errors;
	bool exporter_none; /* OTEL_TRACES_EXPORTER=none */
	opa_propagators propagators;
	opa_log_level log_level;
	uint64_t sample_threshold;
	opa_sample_rules *sample_rules; /* NULL: none */
	uint32_t rate_limit;            /* 0: none */
	uint64_t keep_slow;             /* ns, 0: never */
	uint64_t trace_rotate;          /* ns, 0: never */
	opa_span_limits limits;
	opa_span_limits waiting_limits; /* of a trace that leaves at its end only, if it is kept */
	uint32_t event_attributes;
	uint32_t link_attributes;
	uint32_t max_value_length;
	opa_redact *redact;
	char *known_methods; /* ",GET,POST,...,"; NULL: the conventions' own list */
	opa_outlet outlet;
	char *destination; /* behind outlet.destination */
	char *collector;   /* the URL that traces are sent to, for people; NULL: the local store */
	char *runtime_dir; /* behind outlet.spool.runtime_dir */
	char *exporter;    /* behind outlet.exporter */

	uint8_t *resource; /* fields of an OTLP Resource message */
	size_t resource_len;
	uint64_t resource_id;
} opa_config;

/* A new config, held by the caller alone; NULL when memory is short. */
opa_config *opa_config_create(const opa_config_input *input);

/* Any thread may hold and release; with its last holder a config goes. NULL may be released. */
void opa_config_hold(opa_config *config);
void opa_config_release(opa_config *config);

/* Whether a config was made of just these INI values. */
bool opa_config_is_made_of(const opa_config *config, const opa_config_input *input);

/*
 * In a forked child, while nobody else uses it: the resource tells the identity of `input`; nothing
 * is warned of a second time. False when memory is short; the config is then as it was.
 */
bool opa_config_renew(opa_config *config, const opa_config_input *input);

#endif
