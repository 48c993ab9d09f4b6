#include "opa_config_cache.h"
#include "core/opa_alloc.h"
#include "core/opa_crc32c.h"
#include "core/opa_mutex.h"

#include <string.h>

#define SIZE OPA_CONFIG_CACHE_SIZE

struct opa_config_cache {
	opa_mutex mutex;
	uint32_t hashes[SIZE]; /* of the places below `count`, of which none is free */
	opa_config *configs[SIZE];
	uint64_t used[SIZE];
	unsigned count;
	uint64_t uses;
	unsigned forks; /* between the first process and this one */
	bool identified;
	bool forked; /* what is here is the parent's */
	opa_identity identity;
	uint32_t said[OPA_CONFIG_CACHE_LINES];
	unsigned said_count;
};

/* ---- life ---- */

opa_config_cache *opa_config_cache_create(void)
{
	opa_config_cache *cache = opa_calloc(1, sizeof(*cache));
	if (cache != NULL && !opa_mutex_init(&cache->mutex)) {
		opa_free(cache);
		return NULL;
	}
	return cache;
}

static void empty(opa_config_cache *cache)
{
	while (cache->count > 0) {
		opa_config_release(cache->configs[--cache->count]);
	}
}

void opa_config_cache_destroy(opa_config_cache *cache)
{
	if (cache == NULL) {
		return;
	}
	empty(cache);
	opa_mutex_deinit(&cache->mutex);
	opa_free(cache);
}

/* The handler of fork(2) itself frees nothing: another thread may have been within malloc. */
static void enter(opa_config_cache *cache)
{
	opa_mutex_lock(&cache->mutex);
	if (OPA_UNLIKELY(cache->forked)) {
		cache->forked = false;
		cache->identified = false;
		empty(cache);
	}
}

static void leave(opa_config_cache *cache)
{
	opa_mutex_unlock(&cache->mutex);
}

/* ---- the process ---- */

static void identify(opa_config_cache *cache, opa_identity *identity)
{
	enter(cache);
	if (!cache->identified) {
		leave(cache);
		opa_identity_gather(identity);
		enter(cache);
		if (!cache->identified) {
			cache->identity = *identity;
			cache->identified = true;
		}
	}
	*identity = cache->identity;
	leave(cache);
}

/* ---- looking up ---- */

static uint32_t hash_of(const opa_config_input *input)
{
	uint32_t hash = opa_crc32c(0, input->given, sizeof(input->given));
	for (opa_setting setting = 0; setting < OPA_SETTING_COUNT; setting++) {
		hash = opa_crc32c(hash, input->ini[setting].data, input->ini[setting].len);
		hash = opa_crc32c(hash, &input->ini[setting].len, sizeof(input->ini[setting].len));
	}
	return hash;
}

/* Held for the caller, or NULL. */
static opa_config *find(opa_config_cache *cache, uint32_t hash, const opa_config_input *input)
{
	for (unsigned i = 0; i < cache->count; i++) {
		if (cache->hashes[i] == hash && opa_config_is_made_of(cache->configs[i], input)) {
			cache->used[i] = ++cache->uses;
			opa_config_hold(cache->configs[i]);
			return cache->configs[i];
		}
	}
	return NULL;
}

/* Puts it into a free place, or that of the one which was not asked for the longest. */
static void keep(opa_config_cache *cache, uint32_t hash, opa_config *config)
{
	unsigned place = 0;
	if (cache->count < SIZE) {
		place = cache->count++;
	} else {
		for (unsigned i = 1; i < SIZE; i++) {
			place = cache->used[i] < cache->used[place] ? i : place;
		}
		opa_config_release(cache->configs[place]);
	}
	cache->hashes[place] = hash;
	cache->configs[place] = config;
	cache->used[place] = ++cache->uses;
	opa_config_hold(config);
}

static opa_config *make(opa_config_cache *cache, const opa_config_input *input)
{
	opa_identity identity;
	opa_config_input whole = *input;
	identify(cache, &identity);
	whole.identity = &identity;
	opa_config *config = opa_config_create(&whole);
	if (config != NULL) {
		config->forks = cache->forks;
	}
	return config;
}

opa_config *opa_config_cache_get(
	opa_config_cache *cache, const opa_config_input *input, opa_config *last, bool *made)
{
	*made = false;
	if (last != NULL && last->forks == cache->forks && opa_config_is_made_of(last, input)) {
		return last;
	}
	uint32_t hash = hash_of(input);
	enter(cache);
	opa_config *found = find(cache, hash, input);
	leave(cache);
	if (found != NULL) {
		return found;
	}
	opa_config *config = make(cache, input);
	if (config == NULL) {
		return NULL;
	}
	enter(cache);
	found = find(cache, hash, input); /* another thread may have made the same meanwhile */
	if (found == NULL) {
		keep(cache, hash, config);
	}
	leave(cache);
	*made = found == NULL;
	if (found != NULL) {
		opa_config_release(config);
		return found;
	}
	return config;
}

bool opa_config_cache_renew(
	opa_config_cache *cache, opa_config *config, const opa_config_input *input)
{
	opa_identity identity;
	opa_config_input whole = *input;
	identify(cache, &identity);
	whole.identity = &identity;
	return opa_config_renew(config, &whole);
}

bool opa_config_cache_is_news(opa_config_cache *cache, opa_str line)
{
	uint32_t hash = opa_crc32c(0, line.data, line.len);
	enter(cache);
	bool news = cache->said_count < OPA_CONFIG_CACHE_LINES;
	for (unsigned i = 0; i < cache->said_count; i++) {
		news = news && cache->said[i] != hash;
	}
	if (news) {
		cache->said[cache->said_count++] = hash;
	}
	leave(cache);
	return news;
}

/* ---- fork ---- */

void opa_config_cache_fork_prepare(opa_config_cache *cache)
{
	opa_mutex_lock(&cache->mutex);
}

void opa_config_cache_fork_parent(opa_config_cache *cache)
{
	leave(cache);
}

void opa_config_cache_fork_child(opa_config_cache *cache)
{
	cache->forked = true;
	cache->forks++;
	leave(cache);
}
