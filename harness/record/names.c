#include "record/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum { FIRST_SLOTS = 64 }; /* powers of two, at most half full */

static char *copy(const char *text, size_t length)
{
	char *ret = xcalloc(length + 1, 1);

	memcpy(ret, text, length);
	return ret;
}

struct names names_init(uint32_t max)
{
	return (struct names){ .max = max };
}

void names_free(struct names *names)
{
	for (uint32_t i = 0; i < names->count; i++)
		free(names->text[i]);
	free(names->text);
	free(names->slot);
	*names = names_init(names->max);
}

static uint32_t text_hash(const char *text, size_t length)
{
	uint32_t hash = 0x811c9dc5; /* FNV-1a */

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)text[i]) * 0x01000193;
	return hash;
}

/* The slot that holds the text, or the free one where it belongs. */
static uint32_t *find_slot(const struct names *names, const char *text, size_t length)
{
	uint32_t at = text_hash(text, length) & (names->slots - 1);

	for (;; at = (at + 1) & (names->slots - 1)) {
		uint32_t number = names->slot[at];
		if (!number)
			break;
		const char *known = names->text[number - 1];
		if (!strncmp(known, text, length) && !known[length])
			break;
	}
	return &names->slot[at];
}

static void grow_slots(struct names *names)
{
	names->slots = names->slots ? 2 * names->slots : FIRST_SLOTS;
	free(names->slot);
	names->slot = xcalloc(names->slots, sizeof(*names->slot));
	for (uint32_t i = 0; i < names->count; i++)
		*find_slot(names, names->text[i], strlen(names->text[i])) = i + 1;
}

uint32_t names_intern(struct names *names, const char *text, size_t length, bool *ret_new)
{
	length = strnlen(text, length);
	if (2 * names->count >= names->slots)
		grow_slots(names);
	uint32_t *slot = find_slot(names, text, length);
	bool is_new = !*slot;
	if (is_new && names->count == names->max)
		return 0;
	if (is_new) {
		if (names->count == names->cap) {
			names->cap = names->cap ? 2 * names->cap : 16;
			names->text = xrealloc(names->text, names->cap * sizeof(*names->text));
		}
		names->text[names->count++] = copy(text, length);
		*slot = names->count;
	}
	if (ret_new)
		*ret_new = is_new;
	return *slot;
}

const char *names_text(const struct names *names, uint32_t number)
{
	return number && number <= names->count ? names->text[number - 1] : "";
}

void call_names_free(struct call_names *calls)
{
	for (size_t i = 0; i < calls->slots; i++)
		free(calls->slot[i].id);
	free(calls->slot);
	*calls = (struct call_names){ 0 };
}

/* The key is a hash already. */
static struct call_name *find_call(const struct call_names *calls, uint64_t call)
{
	size_t at = call & (calls->slots - 1);

	while (calls->slot[at].call && calls->slot[at].call != call)
		at = (at + 1) & (calls->slots - 1);
	return &calls->slot[at];
}

static void grow_calls(struct call_names *calls)
{
	struct call_names old = *calls;

	calls->slots = old.slots ? 2 * old.slots : FIRST_SLOTS;
	calls->slot = xcalloc(calls->slots, sizeof(*calls->slot));
	for (size_t i = 0; i < old.slots; i++) {
		if (old.slot[i].call)
			*find_call(calls, old.slot[i].call) = old.slot[i];
	}
	free(old.slot);
}

void call_names_add(struct call_names *calls, uint64_t call, const char *id, size_t length)
{
	if (!call)
		return;
	if (2 * calls->count >= calls->slots)
		grow_calls(calls);
	struct call_name *entry = find_call(calls, call);
	if (entry->call)
		return;
	*entry = (struct call_name){ .call = call, .id = copy(id, strnlen(id, length)) };
	calls->count++;
}

const char *call_names_id(const struct call_names *calls, uint64_t call)
{
	if (!call || !calls->slots)
		return "";
	const struct call_name *entry = find_call(calls, call);
	return entry->call ? entry->id : "";
}
