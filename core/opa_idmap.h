/*
 * A hash table from ids to pointers. The ids are random already, so no hash is computed. Linear
 * probing, at most half full; removing moves followers up, so there are no tombstones and a lookup
 * costs the same after a million insertions and removals.
 *
 * Owns its slots, never what the pointers point to, which are never NULL. Not thread-safe.
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
	size_t mask; /* number of slots - 1 */
	size_t count;
	size_t most; /* that may be in it before it grows: half the slots */
} opa_idmap;

void opa_idmap_init(opa_idmap *map);
void opa_idmap_deinit(opa_idmap *map);

/* What opa_idmap_reserve does when the map is half full. */
bool opa_idmap_grow(opa_idmap *map);

/* Makes room for one more. False when memory is short; the map is then as it was. */
OPA_INLINE bool opa_idmap_reserve(opa_idmap *map)
{
	return OPA_LIKELY(map->count < map->most) || opa_idmap_grow(map);
}

/* Adds an id, after a successful reserve. False only when it is there already. */
OPA_INLINE bool opa_idmap_insert(opa_idmap *map, opa_span_id id, void *value)
{
	size_t i = (id >> 8) & map->mask;
	while (OPA_UNLIKELY(map->slots[i].id != OPA_NO_SPAN)) {
		if (map->slots[i].id == id) {
			return false;
		}
		i = (i + 1) & map->mask;
	}
	map->slots[i].id = id;
	map->slots[i].value = value;
	map->count++;
	return true;
}

/*
 * Where an id stands, until the map is changed; where it is not there, a free slot, whose value is
 * NULL.
 */
OPA_INLINE opa_idmap_slot *opa_idmap_find(const opa_idmap *map, opa_span_id id)
{
	/* The lowest bits name the shard, the highest are always a to f. */
	size_t i = (id >> 8) & map->mask;
	while (OPA_UNLIKELY(map->slots[i].id != id) && map->slots[i].id != OPA_NO_SPAN) {
		i = (i + 1) & map->mask;
	}
	return &map->slots[i];
}

/* The pointer, or NULL. */
OPA_INLINE void *opa_idmap_get(const opa_idmap *map, opa_span_id id)
{
	return opa_idmap_find(map, id)->value;
}

/* What opa_idmap_remove_at does when the slot behind the free one is in use. */
void opa_idmap_close_hole(opa_idmap *map, size_t hole);

/* Removes what opa_idmap_find() has found. */
OPA_INLINE void opa_idmap_remove_at(opa_idmap *map, opa_idmap_slot *slot)
{
	size_t i = (size_t)(slot - map->slots);
	map->count--;
	slot->id = OPA_NO_SPAN;
	slot->value = NULL;
	if (OPA_UNLIKELY(map->slots[(i + 1) & map->mask].id != OPA_NO_SPAN)) {
		opa_idmap_close_hole(map, i);
	}
}

/* Removes an id and answers its pointer; NULL when it is not there. */
OPA_INLINE void *opa_idmap_remove(opa_idmap *map, opa_span_id id)
{
	opa_idmap_slot *slot = opa_idmap_find(map, id);
	void *value = slot->value;
	if (value != NULL) {
		opa_idmap_remove_at(map, slot);
	}
	return value;
}

/* Gives memory back when the map is empty and large. */
void opa_idmap_trim(opa_idmap *map);

#endif
