/*
 * Another opinion on what is on the wire: protoc with OpenTelemetry's own definitions. Where they
 * are is told by OPA_OTLP_PROTOS (tests/tools/otlp_protos.sh gets them).
 */
#ifndef PROTOC_H
#define PROTOC_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* Says so where nothing can be compared. */
static inline bool protoc_is_there(void)
{
	if (getenv("OPA_OTLP_PROTOS") != NULL && system("protoc --version >/dev/null 2>&1") == 0) {
		return true;
	}
	printf("no protoc, or no OPA_OTLP_PROTOS: nothing was compared with it\n");
	return false;
}

#endif
