#include "record/ndjson.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

/* Fields that are plain numbers: where the number lies in the event, and how wide it is. */
static const struct number_field {
	const char *key;
	size_t offset, size;
} numbers[] = {
#define FIELD(name) { #name, offsetof(struct event, name), sizeof(((struct event *)0)->name) }
	FIELD(leg),   FIELD(turn), FIELD(n),    FIELD(code),  FIELD(ver),
	FIELD(epoch), FIELD(aux),  FIELD(conn), FIELD(flags),
#undef FIELD
};
enum { NUMBER_COUNT = sizeof(numbers) / sizeof(*numbers) };

#define KIND(NAME) (1ULL << EVENT_##NAME)

/* Fields that are an enumeration for some kinds, and its words. */
static const struct word_field {
	const char *key;
	uint64_t kinds;
	const char *(*name)(unsigned v);
	unsigned count;
} words[] = {
	{ "code", KIND(PHASE_BEGIN) | KIND(PHASE_END), phase_name, PHASE_COUNT },
	{ "code", KIND(ACTION_INV) | KIND(ACTION_OK) | KIND(ACTION_FAIL), action_name,
	  ACTION_COUNT },
	{ "code", KIND(CALL_END), call_end_name, CALL_END_COUNT },
	{ "code", KIND(CMD_INV) | KIND(CMD_OK) | KIND(CMD_ERR) | KIND(CMD_INFO) | KIND(CONTROL),
	  verb_name, VERB_COUNT },
	{ "aux", KIND(CMD_ERR), redis_error_name, REDIS_ERROR_COUNT },
	{ "code", KIND(RESIDUE), residue_name, RESIDUE_COUNT },
	{ "n", KIND(DIAL_FAIL) | KIND(TLS), dial_failure_name, DIAL_FAILURE_COUNT },
	{ "n", KIND(LEG_END), leg_how_name, LEG_HOW_COUNT },
	{ "flags", KIND(LEG_END), side_name, SIDE_COUNT },
	{ "flags", KIND(CALL_START), profile_name, PROFILE_COUNT },
};

static const struct word_field *find_words(const char *key, unsigned kind)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if ((words[i].kinds >> kind & 1) && !strcmp(words[i].key, key))
			return &words[i];
	}
	return NULL;
}

static uint64_t get_number(const struct event *event, const struct number_field *field)
{
	const char *at = (const char *)event + field->offset;
	uint32_t wide;
	uint16_t half;

	switch (field->size) {
	case sizeof(wide):
		memcpy(&wide, at, sizeof(wide));
		return wide;
	case sizeof(half):
		memcpy(&half, at, sizeof(half));
		return half;
	}
	return (unsigned char)*at;
}

static void set_number(struct event *event, const struct number_field *field, uint64_t v)
{
	char *at = (char *)event + field->offset;
	uint32_t wide = (uint32_t)v;
	uint16_t half = (uint16_t)v;

	switch (field->size) {
	case sizeof(wide):
		memcpy(at, &wide, sizeof(wide));
		return;
	case sizeof(half):
		memcpy(at, &half, sizeof(half));
		return;
	}
	*at = (char)v;
}

/* "1.250s": digits with at most one point, then a unit. */
static int parse_duration(const char *text, int64_t *ret_ns)
{
	static const struct {
		const char *unit;
		double ns;
	} units[] = { { "ns", 1 },  { "us", 1e3 }, { "ms", 1e6 },
		      { "s", 1e9 }, { "m", 60e9 }, { "h", 3600e9 } };
	size_t length = strspn(text, "0123456789.");
	char *end;

	double number = strtod(text, &end);
	if (!length || end != text + length)
		return -1;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		double ns = number * units[i].ns;
		if (!strcmp(end, units[i].unit) && ns < 9e18) {
			*ret_ns = llround(ns);
			return 0;
		}
	}
	return -1;
}

static int parse_time(const char *key, const json_t *value, int64_t *ret_ns, struct err *err)
{
	if (json_is_integer(value) && json_integer_value(value) >= 0 &&
	    json_integer_value(value) < INT64_MAX) {
		*ret_ns = json_integer_value(value);
		return 0;
	}
	if (json_is_string(value) && parse_duration(json_string_value(value), ret_ns) == 0)
		return 0;
	return err_set(err, ERR_INPUT, "%s is not a time: nanoseconds, or text like \"1.250s\"",
		       key);
}

static int parse_word(const struct word_field *field, const char *word, uint64_t *ret,
		      struct err *err)
{
	for (unsigned v = 0; v < field->count; v++) {
		if (!strcmp(field->name(v), word)) {
			*ret = v;
			return 0;
		}
	}
	return err_set(err, ERR_INPUT, "%s has no word \"%s\"", field->key, word);
}

/* 1 when the key is a number field, 0 when it is not, -1 on a bad value. */
static int parse_number(const char *key, const json_t *value, struct event *event, struct err *err)
{
	for (size_t i = 0; i < NUMBER_COUNT; i++) {
		const struct number_field *field = &numbers[i];
		const struct word_field *word = find_words(key, event->kind);
		uint64_t max = (1ULL << 8 * field->size) - 1, v = 0;
		if (strcmp(field->key, key) != 0)
			continue;
		if (json_is_string(value) && word) {
			if (parse_word(word, json_string_value(value), &v, err) < 0)
				return -1;
		} else if (json_is_integer(value) && json_integer_value(value) >= 0 &&
			   (uint64_t)json_integer_value(value) <= max) {
			v = (uint64_t)json_integer_value(value);
		} else {
			return err_set(err, ERR_INPUT, "%s is not a number from 0 to %llu%s", key,
				       (unsigned long long)max, word ? " nor a word" : "");
		}
		set_number(event, field, v);
		return 1;
	}
	return 0;
}

static uint64_t parse_call(const char *text, struct history_names *names)
{
	size_t length = strlen(text);
	uint64_t call;

	if (*text == '#' && hash_parse_hex16(text + 1, length - 1, &call) == 0)
		return call;
	call = hash_id(text, length);
	call_names_add(&names->calls, call, text, length);
	return call;
}

static int parse_text(const char *key, const json_t *value, struct history_names *names,
		      struct event *event, struct err *err)
{
	const char *text = json_string_value(value);
	size_t length = text ? strlen(text) : 0;
	int color;

	if (!text)
		return err_set(err, ERR_INPUT, "%s is not a text", key);
	if (!strcmp(key, "call")) {
		event->call = parse_call(text, names);
	} else if (!strcmp(key, "digest")) {
		if (hash_parse_hex16(text, length, &event->digest) < 0)
			return err_set(err, ERR_INPUT, "digest \"%s\" is not 16 hex digits", text);
	} else if (!strcmp(key, "color")) {
		color = color_parse(text);
		if (color < 0)
			return err_set(err, ERR_INPUT, "color \"%s\" is neither blue nor green",
				       text);
		event->color = (uint8_t)color;
	} else if (!strcmp(key, "instance")) {
		event->instance = (uint8_t)names_intern(&names->instances, text, length, NULL);
		if (!event->instance)
			return err_set(err, ERR_INPUT, "instance \"%s\": more than %u", text,
				       names->instances.max);
	} else if (!strcmp(key, "note") && event_conn_is_note(event->kind)) {
		event->conn = names_intern(&names->notes, text, length, NULL);
	} else if (!strcmp(key, "note")) {
		return err_set(err, ERR_INPUT, "%s has no note", event_kind_name(event->kind));
	} else {
		return err_set(err, ERR_INPUT, "unknown key \"%s\"", key);
	}
	return 0;
}

static int parse_field(const char *key, const json_t *value, struct history_names *names,
		       struct event *event, struct err *err)
{
	if (!strcmp(key, "kind") || !strcmp(key, "t"))
		return 0; /* parse_event took them first */
	if (!strcmp(key, "due"))
		return parse_time(key, value, &event->due_ns, err);
	if (!strcmp(key, "conn") && event_conn_is_note(event->kind))
		return err_set(err, ERR_INPUT, "conn of %s is its note: write \"note\"",
			       event_kind_name(event->kind));
	int taken = parse_number(key, value, event, err);
	if (taken)
		return taken < 0 ? -1 : 0;
	return parse_text(key, value, names, event, err);
}

static int parse_event(json_t *object, struct history_names *names, struct event *ret,
		       struct err *err)
{
	const char *word = json_string_value(json_object_get(object, "kind")), *key;
	json_t *value, *t = json_object_get(object, "t");
	int kind = word ? event_kind_parse(word) : -1;
	int64_t t_ns;

	if (kind < 0)
		return err_set(err, ERR_INPUT, word ? "unknown kind \"%s\"" : "no kind", word);
	if (!t)
		return err_set(err, ERR_INPUT, "no t");
	if (parse_time("t", t, &t_ns, err) < 0)
		return -1;
	struct event event = event_make((enum event_kind)kind, t_ns);
	json_object_foreach(object, key, value)
	{
		if (parse_field(key, value, names, &event, err) < 0)
			return -1;
	}
	*ret = event;
	return NDJSON_EVENT;
}

static int parse_lane(json_t *object, struct lane_status *ret, struct err *err)
{
	struct lane_status lane = { .whole = true };
	const char *file, *role = "", *damage = "";
	json_int_t index = 0, events = 0;
	json_t *first = NULL, *last = NULL;
	json_error_t error;

	if (json_unpack_ex(object, &error, JSON_STRICT, "{s:s, s?s, s?I, s?I, s?o, s?o, s?s}",
			   "lane", &file, "role", &role, "index", &index, "events", &events,
			   "first", &first, "last", &last, "damage", &damage) < 0)
		return err_set(err, ERR_INPUT, "lane: %s", error.text);
	int number = *role ? lane_role_parse(role) : 0;
	if (number < 0)
		return err_set(err, ERR_INPUT, "lane: unknown role \"%s\"", role);
	if (index < 0 || index > UINT32_MAX || events < 0)
		return err_set(err, ERR_INPUT, "lane: index or events out of range");
	if ((first && parse_time("first", first, &lane.first_ns, err) < 0) ||
	    (last && parse_time("last", last, &lane.last_ns, err) < 0))
		return -1;
	snprintf(lane.file, sizeof(lane.file), "%s", file);
	snprintf(lane.damage, sizeof(lane.damage), "%s", damage);
	lane.role = (enum lane_role)number;
	lane.index = (uint32_t)index;
	lane.events = (uint64_t)events;
	lane.whole = !*lane.damage;
	*ret = lane;
	return NDJSON_LANE;
}

int ndjson_parse(const char *line, struct history_names *names, struct event *ret_event,
		 struct lane_status *ret_lane, struct err *err)
{
	json_error_t error;
	int what;

	line += strspn(line, " \t\r\n");
	if (!*line || *line == '#')
		return NDJSON_NOTHING;
	json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, &error);
	if (!object)
		return err_set(err, ERR_INPUT, "column %d: %s", error.column, error.text);
	if (!json_is_object(object))
		what = err_set(err, ERR_INPUT, "not an object");
	else if (json_object_get(object, "lane"))
		what = parse_lane(object, ret_lane, err);
	else
		what = parse_event(object, names, ret_event, err);
	json_decref(object);
	return what;
}

/* A JSON string. Text that is not UTF-8 (the world may send us any) is printed byte by byte. */
static void print_text(const char *text, FILE *out)
{
	json_t *string = json_string(text);

	if (string) {
		json_dumpf(string, out, JSON_ENCODE_ANY);
		json_decref(string);
		return;
	}
	putc('"', out);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c < 0x20 || c > 0x7e || c == '"' || c == '\\')
			fprintf(out, "\\u%04x", c);
		else
			putc(c, out);
	}
	putc('"', out);
}

static void print_named(const char *key, const char *text, FILE *out)
{
	fprintf(out, ",\"%s\":", key);
	print_text(text, out);
}

static void print_call(const struct history_names *names, uint64_t call, FILE *out)
{
	const char *id = call_names_id(&names->calls, call);
	char hex[17];

	hash_hex16(call, hex);
	if (*id)
		print_named("call", id, out);
	else
		fprintf(out, ",\"call\":\"#%s\"", hex);
}

void ndjson_print_event(const struct history_names *names, const struct event *event, FILE *out)
{
	bool with_note = event_conn_is_note(event->kind);
	char hex[17];

	fprintf(out, "{\"t\":%lld", (long long)event->t_ns);
	if (event->due_ns >= 0)
		fprintf(out, ",\"due\":%lld", (long long)event->due_ns);
	fprintf(out, ",\"kind\":\"%s\"", event_kind_name(event->kind));
	if (event->call)
		print_call(names, event->call, out);
	for (size_t i = 0; i < NUMBER_COUNT; i++) {
		const struct number_field *field = &numbers[i];
		const struct word_field *word = find_words(field->key, event->kind);
		uint64_t v = get_number(event, field);
		if (!v || (with_note && field->offset == offsetof(struct event, conn)))
			continue;
		if (word && v < word->count)
			print_named(field->key, word->name((unsigned)v), out);
		else
			fprintf(out, ",\"%s\":%llu", field->key, (unsigned long long)v);
	}
	if (with_note && event->conn)
		print_named("note", names_text(&names->notes, event->conn), out);
	if (event->color)
		print_named("color", color_name(event->color), out);
	if (event->instance)
		print_named("instance", names_text(&names->instances, event->instance), out);
	hash_hex16(event->digest, hex);
	if (event->digest)
		fprintf(out, ",\"digest\":\"%s\"", hex);
	fputs("}\n", out);
}

void ndjson_print_lane(const struct lane_status *lane, FILE *out)
{
	fputs("{\"lane\":", out);
	print_text(lane->file, out);
	if (lane->role)
		print_named("role", lane_role_name(lane->role), out);
	fprintf(out, ",\"index\":%u,\"events\":%llu,\"first\":%lld,\"last\":%lld", lane->index,
		(unsigned long long)lane->events, (long long)lane->first_ns,
		(long long)lane->last_ns);
	if (!lane->whole)
		print_named("damage", lane->damage, out);
	fputs("}\n", out);
}
