/*
 * What machine and process this is, in the terms of OpenTelemetry's resource conventions. Reads the
 * system at each call; callers keep what they need. Texts are terminated and cut to fit; what is
 * not known is "".
 */
#ifndef OPA_HOST_H
#define OPA_HOST_H

#include "opa_base.h"

uint64_t opa_host_pid(void);
uint64_t opa_host_uid(void);                       /* effective */
void opa_host_name(char *to, size_t size);         /* host.name */
void opa_host_arch(char *to, size_t size);         /* host.arch: "amd64", "arm64", ... */
void opa_host_container_id(char *to, size_t size); /* container.id: 64 hex digits */
const char *opa_host_os(void);                     /* os.type: "linux", ... */

#endif
