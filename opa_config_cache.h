/*
 * The configs of a process: one for each set of INI values that its requests come with. However
 * many there are (virtual hosts, directories), each request gets its own; those that were asked for
 * last are kept to be found again, up to OPA_CONFIG_CACHE_SIZE, and one that somebody holds stays
 * until it is released, kept or not.
 *
 * Any thread may call these. The mutex is held while memory is looked at, never while a config is
 * made.
 */
#ifndef OPA_CONFIG_CACHE_H
#define OPA_CONFIG_CACHE_H

#include "opa_config.h"

#define OPA_CONFIG_CACHE_SIZE 256

typedef struct opa_config_cache opa_config_cache;

/* NULL when memory is short. */
opa_config_cache *opa_config_cache_create(void);

/* Configs that are held stay. NULL is allowed. */
void opa_config_cache_destroy(opa_config_cache *cache);

/*
 * The config for the values of `input`, held for the caller: looked up, else made, with the
 * process's own identity in the place of input->identity. *made says which. NULL when memory is
 * short. `last` is the one that the caller got before, and holds, or NULL: where nothing has
 * changed it is the answer, without being held twice, and no mutex is taken.
 */
opa_config *opa_config_cache_get(
	opa_config_cache *cache, const opa_config_input *input, opa_config *last, bool *made);

/* opa_config_renew() with the process's own identity. */
bool opa_config_cache_renew(
	opa_config_cache *cache, opa_config *config, const opa_config_input *input);

/*
 * Whether this is the first time that the process, or one that it was forked from, asks about that
 * line: what configs warn of is logged once, however often they are made. It remembers
 * OPA_CONFIG_CACHE_LINES of them, by a hash, and has no news after that.
 */
#define OPA_CONFIG_CACHE_LINES 64
bool opa_config_cache_is_news(opa_config_cache *cache, opa_str line);

/*
 * Around fork(2), as pthread_atfork(3) wants it: prepare takes the mutex, the others give it back.
 * A child has a pid, and perhaps an environment, of its own: it finds none of its parent's configs.
 */
void opa_config_cache_fork_prepare(opa_config_cache *cache);
void opa_config_cache_fork_parent(opa_config_cache *cache);
void opa_config_cache_fork_child(opa_config_cache *cache);

#endif
