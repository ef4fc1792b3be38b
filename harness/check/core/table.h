/*
 * The table of live calls: open addressing over ids, entries in slabs so that an entry never moves.
 * An entry is one contiguous block of the size given at birth: the world's part, then each check's.
 * Memory follows the number of calls live at once, not the number of calls.
 */
#ifndef CHECK_CORE_TABLE_H
#define CHECK_CORE_TABLE_H

#include <stddef.h>
#include <stdint.h>

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
/* The entry of an id, or NULL. Ids are hashes already. */
void *table_find(const struct table *, uint64_t id);
/* A zeroed entry for an id that is not in the table. */
void *table_add(struct table *, uint64_t id);
void table_remove(struct table *, uint64_t id);
/* Asks the processor to have the id's slot at hand soon; and, some time later, its entry. */
void table_prefetch(const struct table *, uint64_t id);
void table_prefetch_entry(const struct table *, uint64_t id);
/* Every entry, in no particular order; start with *cursor 0; NULL at the end. Nothing may be added
 * or removed meanwhile. */
void *table_each(const struct table *, size_t *cursor);

#endif
