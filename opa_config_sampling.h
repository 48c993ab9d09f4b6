/*
 * What the settings say of sampling: opa_config.c's, for a config that is being made.
 */
#ifndef OPA_CONFIG_SAMPLING_H
#define OPA_CONFIG_SAMPLING_H

#include "opa_config.h"

/*
 * Reads opa.sample_rules, opa.rate_limit, opa.keep_*, when the texts, the limits and the resource
 * (which names the service) are there. False when memory is short.
 */
bool opa_config_read_sampling(const opa_config_input *in, opa_config *config);

#endif
