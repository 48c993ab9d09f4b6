#include "opa_idmap.h"
#include "opa_alloc.h"

#define SMALLEST 64u
#define LARGE    4096u

/* What a map without memory of its own has: one free slot, which nothing is ever put into. */
static opa_idmap_slot nothing;

static size_t home(const opa_idmap *map, opa_span_id id)
{
	return (id >> 8) & map->mask;
}

void opa_idmap_init(opa_idmap *map)
{
	*map = (opa_idmap){.slots = &nothing};
}

static void free_slots(opa_idmap *map)
{
	if (map->slots != &nothing) {
		opa_free(map->slots);
	}
}

void opa_idmap_deinit(opa_idmap *map)
{
	free_slots(map);
	opa_idmap_init(map);
}

bool opa_idmap_grow(opa_idmap *map)
{
	size_t wanted = map->most == 0 ? SMALLEST : (map->mask + 1) * 2;
	opa_idmap larger = {
		.slots = opa_calloc(wanted, sizeof(opa_idmap_slot)),
		.mask = wanted - 1,
		.most = wanted / 2,
	};
	if (larger.slots == NULL) {
		return false;
	}
	for (size_t i = 0; i <= map->mask; i++) {
		if (map->slots[i].id != OPA_NO_SPAN) {
			opa_idmap_insert(&larger, map->slots[i].id, map->slots[i].value);
		}
	}
	free_slots(map);
	*map = larger;
	return true;
}

/* Fills the hole with the next entry that may stand there, and so on, until a free slot ends it. */
void opa_idmap_close_hole(opa_idmap *map, size_t hole)
{
	for (size_t i = (hole + 1) & map->mask; map->slots[i].id != OPA_NO_SPAN;
		 i = (i + 1) & map->mask) {
		size_t from_home = (i - home(map, map->slots[i].id)) & map->mask;
		size_t from_hole = (i - hole) & map->mask;
		if (from_home >= from_hole) {
			map->slots[hole] = map->slots[i];
			hole = i;
		}
	}
	map->slots[hole].id = OPA_NO_SPAN;
	map->slots[hole].value = NULL;
}

void opa_idmap_trim(opa_idmap *map)
{
	if (map->count == 0 && map->mask + 1 > LARGE) {
		opa_idmap_deinit(map);
	}
}
