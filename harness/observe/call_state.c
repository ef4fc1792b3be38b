#include "observe/call_state.h"

#include <string.h>

#include <jansson.h>

#include "base/hash.h"

enum { STATE_BYTES_MAX = 1 << 20 };

int call_state_read(struct redis *redis, const char *key, struct call_state *ret, struct err *err)
{
	struct call_state s = { .found = false };
	struct buf value = buf_init(STATE_BYTES_MAX);
	json_error_t where;
	json_t *json = NULL, *field;
	int result = -1;

	if (redis_get(redis, key, &s.found, &value, err) < 0 ||
	    redis_ttl(redis, key, &s.ttl_s, err) < 0)
		goto out;
	if (s.found) {
		json = json_loadb(buf_text(&value), value.len, JSON_REJECT_DUPLICATES, &where);
		if (!json_is_object(json)) {
			err_set(err, ERR_WORLD, "%s: not a JSON object: %s", key,
				json ? "another type" : where.text);
			goto out;
		}
		field = json_object_get(json, "turns");
		if (json_is_integer(field) && json_integer_value(field) >= 0) {
			s.has_turns = true;
			s.turns = (uint32_t)json_integer_value(field);
		}
		field = json_object_get(json, "digest");
		s.has_digest = json_is_string(field) &&
			       !hash_parse_hex16(json_string_value(field),
						 json_string_length(field), &s.digest);
	}
	*ret = s;
	result = 0;
out:
	json_decref(json);
	buf_free(&value);
	return result;
}
