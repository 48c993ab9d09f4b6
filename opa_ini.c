#include "php_opa.h"
#include "opa_ini.h"
#include "core/opa_units.h"

static bool given_at_start[OPA_SETTING_COUNT];

_Static_assert(OPA_SETTING_COUNT <= 64, "OPA_G(ini_refused) has a bit for each setting");

static int mode_of(opa_setting setting)
{
	switch (opa_setting_get_info(setting)->mode) {
	case OPA_MODE_SYSTEM:
		return PHP_INI_SYSTEM;
	case OPA_MODE_PERDIR:
		return PHP_INI_SYSTEM | PHP_INI_PERDIR;
	default:
		return PHP_INI_ALL;
	}
}

static opa_str text_of(const zend_string *value)
{
	return value == NULL ? OPA_STR("") : (opa_str){ZSTR_VAL(value), ZSTR_LEN(value)};
}

/*
 * The engine marks an entry as modified before it asks whether the value is accepted, and leaves
 * the mark where it is not. A value that was accepted before in the same request still counts.
 */
static void note(opa_setting setting, const zend_ini_entry *entry, bool accepted)
{
	uint64_t bit = (uint64_t)1 << setting;
	if (accepted) {
		OPA_G(ini_refused) &= ~bit;
	} else if (entry->modified && entry->value == entry->orig_value) {
		OPA_G(ini_refused) |= bit;
	}
}

static bool is_being_restored(void)
{
	const zend_execute_data *call = EG(current_execute_data);
	const zend_string *name =
		call != NULL && call->func != NULL && !ZEND_USER_CODE(call->func->type)
			? call->func->common.function_name
			: NULL;
	return name != NULL && zend_string_equals_literal(name, "ini_restore");
}

/*
 * The program has set opa.enabled for the rest of its request, which keeps its config: that is of
 * its start, which ini_restore() goes back to. (A variable may have been against the INI value.)
 */
static void switch_now(opa_str value)
{
	const opa_config *config = OPA_G(request).config;
	bool enabled = false;
	OPA_G(ini_switched) = true;
	opa_parse_bool(value, &enabled);
	if (config != NULL && is_being_restored()) {
		enabled = config->enabled;
	}
	if (enabled) {
		opa_request_enable();
	} else {
		opa_request_disable();
	}
}

/* One validator for all settings: mh_arg1 says which one it is. */
static ZEND_INI_MH(on_modify)
{
	opa_setting setting = (opa_setting)(uintptr_t)mh_arg1;
	opa_str text = text_of(new_value);
	bool accepted = opa_setting_accepts(setting, text);
	note(setting, entry, accepted);
	if (!accepted) {
		char expects[128];
		opa_setting_expects(setting, expects, sizeof(expects));
		if (opa_setting_may_show(setting, text)) {
			php_error_docref(NULL, E_WARNING, "%s must be %s, \"%.*s\" given",
				ZSTR_VAL(entry->name), expects, (int)MIN(text.len, 64), text.data);
		} else {
			php_error_docref(NULL, E_WARNING, "%s must be %s", ZSTR_VAL(entry->name), expects);
		}
		return FAILURE;
	}
	if (setting == OPA_SETTING_ENABLED && stage == ZEND_INI_STAGE_RUNTIME) {
		switch_now(text);
	} else {
		OPA_G(ini_changed) = true;
	}
	return SUCCESS;
}

/* In php.ini or with -d. What was refused there was not given: the default stands. */
static bool is_given_at_start(opa_setting setting)
{
	const char *name = opa_setting_get_info(setting)->name;
	const zval *value = cfg_get_entry(name, strlen(name));
	return value != NULL && Z_TYPE_P(value) == IS_STRING &&
		   opa_setting_accepts(setting, text_of(Z_STR_P(value)));
}

void opa_ini_register(int module_number)
{
	zend_ini_entry_def entries[OPA_SETTING_COUNT + 1];
	memset(entries, 0, sizeof(entries));
	for (opa_setting setting = 0; setting < OPA_SETTING_COUNT; setting++) {
		const opa_setting_info *info = opa_setting_get_info(setting);
		zend_ini_entry_def *entry = &entries[setting];
		entry->name = info->name;
		entry->name_length = (uint16_t)strlen(info->name);
		entry->value = info->def;
		entry->value_length = (uint32_t)strlen(info->def);
		entry->on_modify = on_modify;
		entry->mh_arg1 = (void *)(uintptr_t)setting;
		entry->modifiable = (uint8_t)mode_of(setting);
		given_at_start[setting] = is_given_at_start(setting);
	}
	zend_register_ini_entries(entries, module_number);
}

void opa_ini_unregister(int module_number)
{
	zend_unregister_ini_entries(module_number);
}

/*
 * Whether somebody has set it, be it to the default's own text. The address of a default says
 * nothing: opcache moves interned strings. PHP-FPM puts a pool's value in without marking the
 * entry, but what it puts in is not interned.
 */
static bool is_given(opa_setting setting, const zend_ini_entry *entry)
{
	const char *def = opa_setting_get_info(setting)->def;
	const zend_string *value = entry->value;
	bool modified = entry->modified && (OPA_G(ini_refused) >> setting & 1) == 0;
	return given_at_start[setting] || modified || !ZSTR_IS_INTERNED(value) ||
		   ZSTR_LEN(value) != strlen(def) || memcmp(ZSTR_VAL(value), def, ZSTR_LEN(value)) != 0;
}

void opa_ini_collect(opa_str values[OPA_SETTING_COUNT], bool given[OPA_SETTING_COUNT])
{
	for (opa_setting setting = 0; setting < OPA_SETTING_COUNT; setting++) {
		const char *name = opa_setting_get_info(setting)->name;
		zend_ini_entry *entry = zend_hash_str_find_ptr(EG(ini_directives), name, strlen(name));
		zend_string *value = entry == NULL ? NULL : entry->value;
		values[setting] = text_of(value);
		given[setting] = value != NULL && is_given(setting, entry);
	}
}
