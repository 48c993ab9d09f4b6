/*
 * A hash table from ids to pointers. The ids are random already, so no hash is computed. Linear
 * probing, at most half full; removing moves followers up, so there are no tombstones and a lookup
 * costs the same after a million insertions and removals.
 *
 * Owns its slots, never what the pointers point to. Not thread-safe.
 */
#ifndef OPA_IDMAP_H
#define OPA_IDMAP_H

#include "opa_id.h"

typedef struct opa_idmap_slot {
	opa_span_id id; /* OPA_NO_SPAN: free */
	void *value;
} opa_idmap_slot;

typedef struct opa_idmap {
	opa_idmap_slot *slots;
	size_t mask; /* number of slots - 1; slots is NULL while nothing was ever inserted */
	size_t count;
} opa_idmap;

void opa_idmap_init(opa_idmap *map);
void opa_idmap_deinit(opa_idmap *map);

/* Makes room for one more. False when memory is short; the map is then as it was. */
bool opa_idmap_reserve(opa_idmap *map);

/* Adds an id that is not there yet, after a successful reserve: cannot fail. */
void opa_idmap_insert(opa_idmap *map, opa_span_id id, void *value);

/* The pointer, or NULL. */
static inline void *opa_idmap_get(const opa_idmap *map, opa_span_id id)
{
	if (OPA_UNLIKELY(map->slots == NULL) || id == OPA_NO_SPAN) {
		return NULL;
	}
	/* The lowest bits name the shard, the highest are always a to f. */
	for (size_t i = (id >> 8) & map->mask;; i = (i + 1) & map->mask) {
		if (OPA_LIKELY(map->slots[i].id == id)) {
			return map->slots[i].value;
		}
		if (map->slots[i].id == OPA_NO_SPAN) {
			return NULL;
		}
	}
}

/* Removes an id and answers its pointer; NULL when it is not there. */
void *opa_idmap_remove(opa_idmap *map, opa_span_id id);

/* Gives memory back when the map is empty and large. */
void opa_idmap_trim(opa_idmap *map);

#endif
