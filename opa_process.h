/*
 * What the process has once, for all its threads and requests: the span table, the publisher, the
 * configs. Made in MINIT, where nothing outside the process is touched: PHP-FPM's launcher and
 * master run MINIT and MSHUTDOWN without ever serving.
 */
#ifndef OPA_PROCESS_H
#define OPA_PROCESS_H

#include "opa_php.h"
#include "opa_config.h"
#include "opa_span.h"
#include "export/opa_publish.h"

typedef struct opa_process {
	opa_span_table *spans;
	opa_publisher *publisher;
} opa_process;

/* Set between MINIT and MSHUTDOWN; the members do not change. */
extern opa_process opa_the_process;

/* False when memory is short: opa then stays off. */
bool opa_process_startup(void);
void opa_process_shutdown(void);

/*
 * The config for the present INI values of this thread, held for the caller. NULL when memory is
 * short. `last` is the one that the thread holds, or NULL: where nothing has changed it is the
 * answer, without being held twice.
 */
opa_config *opa_process_config(opa_config *last);

/* A variable of the environment, which the caller releases; NULL when it is not set, or empty. */
zend_string *opa_process_variable(const char *name);

/* In a forked child: the resource of the trace that goes on is told anew, before it publishes. */
void opa_process_renew_config(opa_config *config);

/*
 * Whether some request of the process was to be traced. Before that, nothing outside the process is
 * looked at or made, not for a status either.
 */
void opa_process_begin_use(void);
bool opa_process_is_in_use(void);

/* A line in PHP's error log, if opa.log_level has it. `config` may be NULL. */
#if defined(__GNUC__) || defined(__clang__)
__attribute__((format(printf, 3, 4)))
#endif
void opa_process_log(const opa_config *config, opa_log_level level, const char *format, ...);

#endif
