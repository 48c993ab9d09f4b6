#include "opa_config_sampling.h"
#include "core/opa_block.h"
#include "core/opa_units.h"

#include <string.h>

static opa_str text_of(const opa_config *config, opa_setting setting)
{
	return (opa_str){config->texts[setting], strlen(config->texts[setting])};
}

/* Takes a tag of one byte and a length off the front; the field is what is left. */
static opa_str field(const uint8_t *wire)
{
	uint64_t len = 0;
	unsigned shift = 0;
	do {
		wire++;
		len |= (uint64_t)(*wire & 0x7f) << shift;
		shift += 7;
	} while (*wire >= 0x80);
	return (opa_str){(const char *)wire + 1, (size_t)len};
}

/* As the resource tells it, wherever it came from: KeyValue{key, value: AnyValue{string}}. */
static opa_str service_of(const opa_config *config)
{
	size_t len;
	long at = opa_attribute_find(config->resource, config->resource_len, OPA_TAG_RESOURCE_ATTRIBUTE,
		OPA_STR("service.name"), &len);
	if (at < 0) {
		return OPA_STR("");
	}
	opa_str key = field((const uint8_t *)field(config->resource + at).data);
	return field((const uint8_t *)field((const uint8_t *)key.data + key.len).data);
}

bool opa_config_read_sampling(const opa_config_input *in, opa_config *config)
{
	opa_str rules = text_of(config, OPA_SETTING_SAMPLE_RULES);
	int64_t rate_limit = 0;
	opa_parse_int(text_of(config, OPA_SETTING_RATE_LIMIT), &rate_limit);
	config->rate_limit = (uint32_t)rate_limit;
	opa_parse_bool(text_of(config, OPA_SETTING_KEEP_ERRORS), &config->keep_errors);
	opa_parse_duration(text_of(config, OPA_SETTING_KEEP_SLOW), &config->keep_slow);
	config->waiting_limits = config->limits;
	config->waiting_limits.flush_size = SIZE_MAX;
	config->waiting_limits.flush_age = 0;
	/* Where nobody has asked for it nothing is sampled, and nothing has to be told of it. */
	config->sample_told =
		config->sources[OPA_SETTING_SAMPLE_RATE] != OPA_FROM_DEFAULT || rules.len > 0;
	return opa_sample_rules_create(
		rules, service_of(config), (opa_str){in->sapi, strlen(in->sapi)}, &config->sample_rules);
}
