/*
 * What does not come out of a spool: traces that somebody hands over on standard input, and the
 * question whether a collector takes any. In opa-exporter alone; one thread. Each is one call in
 * the life of a process, which a signal may end at any time.
 *
 * Both read a definition first (opa_definition.h), and answer in lines:
 *
 * `--check`: one request without a span in it, made as all others are, then
 *     url=...            that was posted to, without credentials
 *     verdict=taken      or later, smaller, refused: as opa_verdict.h has them
 *     status=401         where it was answered
 *     cause=dns          where it was not: as opa_http_client.h has it
 *     ms=12              from the start to the answer, or until it failed
 *     message=...        for people; absent: there is nothing to say
 *
 * `--send`: after the definition come records,
 *     record SPANS RESOURCE_BYTES SCOPE_SPANS_BYTES
 * and a line break, then so many bytes: the fields of an OTLP Resource and of a ScopeSpans message.
 * They are sent in batches as opa.batch_size has it,
 * the last one when the input ends. Records are answered in their order, each once, what has
 * happened to them in words behind it:
 *     taken RECORDS SPANS REJECTED ...
 *     malformed RECORDS SPANS 0 ...    dropped, after 400 or 413
 *     later MS ...                     what is not answered yet is tried again then
 *     failed ...                       the end: nothing else is sent
 *     done                             the end: all of it was answered
 * It fails when the collector answers that it takes nothing (401, 404, ...), when it has taken
 * nothing for `patience`, and when the input is none.
 */
#ifndef OPA_SENDER_H
#define OPA_SENDER_H

#include "opa_exporter.h"

#include <stdio.h>

#define OPA_SENDER_PATIENCE_SECONDS 60

/* OPA_EXPORTER_DONE: it is taken. A line on `errors` where there is no definition. */
opa_exporter_result opa_sender_check(FILE *in, FILE *out, FILE *errors);

/* OPA_EXPORTER_DONE: all of it was taken or dropped, as the lines say. */
opa_exporter_result opa_sender_run(FILE *in, FILE *out, FILE *errors, unsigned patience_seconds);

#endif
