/*
 * What the files of the settings share: opa_config.c (from INI values and variables to a config),
 * opa_config_outlet.c (where its traces go). Nobody else includes this.
 */
#ifndef OPA_CONFIG_INTERNAL_H
#define OPA_CONFIG_INTERNAL_H

#include "opa_config.h"

/* ---- opa_config.c ---- */

/*
 * One more line of config->warnings. What is not printable ASCII becomes '?': a value may be
 * anything, and a line is for logs and pages.
 */
__attribute__((format(printf, 2, 3))) void opa_config_warn(
	opa_config *config, const char *format, ...);

/* A variable that is set and not empty, else NULL. */
const char *opa_config_any_variable(
	const opa_config_input *in, opa_config *config, const char *name);

/* The same for one of OpenTelemetry's. */
const char *opa_config_variable(const opa_config_input *in, opa_config *config, const char *name);

/* Effective values: each was checked when it was set, so each reads. An empty path is NULL. */
uint64_t opa_config_size(const opa_config *config, opa_setting setting);
uint64_t opa_config_duration(const opa_config *config, opa_setting setting);
const char *opa_config_path(const opa_config *config, opa_setting setting);

/* ---- opa_config_outlet.c ---- */

/* Spool, exporter and destination, from the effective values. False when memory is short. */
bool opa_config_build_outlet(const opa_config_input *in, opa_config *config);

#endif
