/*
 * The settings of opa_config.h as PHP's INI entries.
 */
#ifndef OPA_INI_H
#define OPA_INI_H

#include "opa_config.h"

/* MINIT and MSHUTDOWN. */
void opa_ini_register(int module_number);
void opa_ini_unregister(int module_number);

/* The present values of this thread, borrowed until one changes, and whether somebody set them. */
void opa_ini_collect(opa_str values[OPA_SETTING_COUNT], bool given[OPA_SETTING_COUNT]);

#endif
