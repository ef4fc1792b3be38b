/*
 * The table of live calls: open addressing over ids, entries in slabs so that an entry never moves.
 * An entry is one contiguous block of the size given at birth: the world's part, then each check's.
 * Memory follows the number of calls live at once, not the number of calls.
 */
#ifndef CHECK_CORE_TABLE_H
#define CHECK_CORE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TABLE_NEAR_BYTES = 1 << 20 };

struct table_slot {
	uint64_t id;
	char *entry; /* NULL: empty */
};

struct table {
	struct table_slot *slots;
	size_t slot_count, used; /* slot_count is a power of two */
	size_t entry_bytes;
	char **slabs;
	size_t slab_count;
	char *free; /* first free entry; the next one's address is in it */
};

void table_init(struct table *, size_t entry_bytes);
void table_free(struct table *);
/* A zeroed entry for an id that is not in the table. */
void *table_add(struct table *, uint64_t id);
void table_remove(struct table *, uint64_t id);
/* Every entry, in no particular order; start with *cursor 0; NULL at the end. Nothing may be added
 * or removed meanwhile. */
void *table_each(const struct table *, size_t *cursor);

/* What every event asks, hence in place. */

/* Where an id would be, were there no others. Ids are hashes already. */
static inline size_t table_home(const struct table *t, uint64_t id)
{
	return (size_t)(id * 0x9e3779b97f4a7c15ULL >> 20) & (t->slot_count - 1);
}

/* The slot that holds the id, or the empty one where it would go. */
static inline size_t table_locate(const struct table *t, uint64_t id)
{
	size_t i = table_home(t, id);

	while (t->slots[i].entry && t->slots[i].id != id)
		i = (i + 1) & (t->slot_count - 1);
	return i;
}

/* The entry of an id, or NULL. */
static inline void *table_find(const struct table *t, uint64_t id)
{
	return t->slots[table_locate(t, id)].entry;
}

/* More than a core's own cache holds: worth asking ahead for. */
static inline bool table_is_far(const struct table *t)
{
	return t->used * t->entry_bytes > TABLE_NEAR_BYTES;
}

/* Asks the processor to have the id's slot at hand soon; and, some time later, its entry. In place
 * at any price: a function that does nothing else has no effect in the compiler's eyes, and gcc
 * drops the call. */
__attribute__((always_inline)) static inline void table_prefetch(const struct table *t, uint64_t id)
{
	__builtin_prefetch(&t->slots[table_home(t, id)]);
}

__attribute__((always_inline)) static inline void table_prefetch_entry(const struct table *t,
								       uint64_t id)
{
	const struct table_slot *slot = &t->slots[table_home(t, id)];

	/* Most ids are at home; one that is not costs its user a miss, not us a search. */
	if (slot->id != id || !slot->entry)
		return;
	for (size_t at = 0; at < t->entry_bytes; at += 64)
		__builtin_prefetch(slot->entry + at, 1);
}

#endif
