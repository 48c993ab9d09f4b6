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

/* What opa_idmap_reserve does when the map is half full. */
bool opa_idmap_grow(opa_idmap *map);

/* Makes room for one more. False when memory is short; the map is then as it was. */
OPA_INLINE bool opa_idmap_reserve(opa_idmap *map)
{
	return (OPA_LIKELY(map->slots != NULL) && OPA_LIKELY((map->count + 1) * 2 <= map->mask + 1)) ||
		   opa_idmap_grow(map);
}

/* Adds an id that is not there yet, after a successful reserve: cannot fail. */
OPA_INLINE void opa_idmap_insert(opa_idmap *map, opa_span_id id, void *value)
{
	size_t i = (id >> 8) & map->mask;
	while (OPA_UNLIKELY(map->slots[i].id != OPA_NO_SPAN)) {
		i = (i + 1) & map->mask;
	}
	map->slots[i].id = id;
	map->slots[i].value = value;
	map->count++;
}

/* The pointer, or NULL. */
OPA_INLINE void *opa_idmap_get(const opa_idmap *map, opa_span_id id)
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

/* What opa_idmap_remove does when the slot behind the free one is in use. */
void opa_idmap_close_hole(opa_idmap *map, size_t hole);

/* Removes an id and answers its pointer; NULL when it is not there. */
OPA_INLINE void *opa_idmap_remove(opa_idmap *map, opa_span_id id)
{
	if (OPA_UNLIKELY(map->slots == NULL) || OPA_UNLIKELY(id == OPA_NO_SPAN)) {
		return NULL;
	}
	size_t i = (id >> 8) & map->mask;
	while (OPA_UNLIKELY(map->slots[i].id != id)) {
		if (map->slots[i].id == OPA_NO_SPAN) {
			return NULL;
		}
		i = (i + 1) & map->mask;
	}
	void *value = map->slots[i].value;
	map->count--;
	map->slots[i].id = OPA_NO_SPAN;
	map->slots[i].value = NULL;
	if (OPA_UNLIKELY(map->slots[(i + 1) & map->mask].id != OPA_NO_SPAN)) {
		opa_idmap_close_hole(map, i);
	}
	return value;
}

/* Gives memory back when the map is empty and large. */
void opa_idmap_trim(opa_idmap *map);

#endif
