#include "check/core/table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/buf.h"
#include "base/err.h"

/* A slab is a huge page, where the system has them: entries are visited in no order, and each in a
 * small page of its own costs a walk through the page tables. */
enum { SLAB_BYTES = 2 << 20, SLOTS_MIN = 1024 };

void table_init(struct table *t, size_t entry_bytes)
{
	/* Whole cache lines: neighbours do not share one. */
	*t = (struct table){ .slot_count = SLOTS_MIN,
			     .entry_bytes = (entry_bytes + 63) & ~(size_t)63 };
	t->slots = xcalloc(t->slot_count, sizeof(*t->slots));
}

void table_free(struct table *t)
{
	for (size_t i = 0; i < t->slab_count; i++)
		free(t->slabs[i]);
	free(t->slabs);
	free(t->slots);
	*t = (struct table){ 0 };
}

static void grow(struct table *t)
{
	struct table_slot *old = t->slots;
	size_t count = t->slot_count;

	t->slot_count *= 2;
	t->slots = xcalloc(t->slot_count, sizeof(*t->slots));
	for (size_t i = 0; i < count; i++) {
		if (old[i].entry)
			t->slots[table_locate(t, old[i].id)] = old[i];
	}
	free(old);
}

static void add_slab(struct table *t)
{
	char *slab = aligned_alloc(SLAB_BYTES, SLAB_BYTES);

	ASSERT(slab != NULL && t->entry_bytes <= SLAB_BYTES);
	madvise(slab, SLAB_BYTES, MADV_HUGEPAGE); /* where it has none, it is as good as before */
	t->slabs = xrealloc(t->slabs, (t->slab_count + 1) * sizeof(*t->slabs));
	t->slabs[t->slab_count++] = slab;
	for (size_t i = SLAB_BYTES / t->entry_bytes; i-- > 0;) {
		char *entry = slab + i * t->entry_bytes;
		memcpy(entry, &t->free, sizeof(t->free));
		t->free = entry;
	}
}

void *table_add(struct table *t, uint64_t id)
{
	if (2 * (t->used + 1) > t->slot_count)
		grow(t);
	if (!t->free)
		add_slab(t);
	struct table_slot *slot = &t->slots[table_locate(t, id)];
	ASSERT(!slot->entry);
	char *entry = t->free;
	memcpy(&t->free, entry, sizeof(t->free));
	memset(entry, 0, t->entry_bytes);
	*slot = (struct table_slot){ .id = id, .entry = entry };
	t->used++;
	return entry;
}

void table_remove(struct table *t, uint64_t id)
{
	size_t mask = t->slot_count - 1, hole = table_locate(t, id), i = hole;
	char *entry = t->slots[hole].entry;

	if (!entry)
		return;
	memcpy(entry, &t->free, sizeof(t->free));
	t->free = entry;
	t->used--;
	/* Close the gap: pull back every follower whose home is not between the hole and itself. */
	for (;;) {
		i = (i + 1) & mask;
		if (!t->slots[i].entry)
			break;
		if (((i - table_home(t, t->slots[i].id)) & mask) >= ((i - hole) & mask)) {
			t->slots[hole] = t->slots[i];
			hole = i;
		}
	}
	t->slots[hole] = (struct table_slot){ 0 };
}

void *table_each(const struct table *t, size_t *cursor)
{
	while (*cursor < t->slot_count) {
		struct table_slot *slot = &t->slots[(*cursor)++];
		if (slot->entry)
			return slot->entry;
	}
	return NULL;
}
