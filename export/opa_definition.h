/*
 * A collector as somebody defines it to opa-exporter on its standard input: the lines of a spool's
 * dest/<id> (docs/internals-spool.md), up to an empty line or the end. In opa-exporter alone.
 *
 * So no credential stands on a command line. In the place of `endpoint`, which is taken as it is,
 * may stand `url` or `base`: an endpoint as opa.endpoint or OTEL_EXPORTER_OTLP_ENDPOINT have it; in
 * the place of `header`, `headers`: a list as opa.headers has it.
 */
#ifndef OPA_DEFINITION_H
#define OPA_DEFINITION_H

#include "opa_destination.h"

#include <stdio.h>

/*
 * Reads one; the stream then stands behind the empty line. False with a line for people in *problem
 * (size bytes), which has no secret in it, when it does not define a collector.
 */
bool opa_definition_read(FILE *from, opa_destination *destination, char *problem, size_t size);

#endif
