/*
 * <spool>/rejected/: the last records that a collector did not take, each a whole request of OTLP,
 * unpacked, for whoever wants to know why. In opa-exporter alone.
 */
#ifndef OPA_REJECTED_H
#define OPA_REJECTED_H

#include "opa_spool.h"

#define OPA_REJECTED_COUNT 10            /* that are kept */
#define OPA_REJECTED_SIZE  (512u * 1024) /* a larger one is not: the spool is memory as a rule */

/* Keeps one, in the place of the oldest. It is no failure that it cannot be kept. */
void opa_rejected_keep(const opa_spool *spool, const void *request, size_t len);

#endif
