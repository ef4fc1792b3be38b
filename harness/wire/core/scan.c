#include "wire/core/scan.h"

#include <string.h>

struct scan {
	const char *begin, *at, *end;
	int depth;
};

static void blanks(struct scan *s)
{
	while (s->at < s->end &&
	       (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
		s->at++;
}

static bool take(struct scan *s, char c)
{
	if (s->at >= s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int hex4(struct scan *s, unsigned *ret)
{
	unsigned v = 0;

	if (s->end - s->at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(s->at[i]);

		if (digit < 0)
			return -1;
		v = v << 4 | (unsigned)digit;
	}
	s->at += 4;
	*ret = v;
	return 0;
}

/* Bounded output of a decoded string; out NULL only checks. */
struct sink {
	char *out;
	size_t max, size;
	bool cut;
};

static void put(struct sink *sink, char c)
{
	if (!sink->out)
		return;
	if (sink->size < sink->max)
		sink->out[sink->size++] = c;
	else
		sink->cut = true;
}

static void put_utf8(struct sink *sink, unsigned u)
{
	if (u < 0x80) {
		put(sink, (char)u);
	} else if (u < 0x800) {
		put(sink, (char)(0xc0 | u >> 6));
		put(sink, (char)(0x80 | (u & 0x3f)));
	} else if (u < 0x10000) {
		put(sink, (char)(0xe0 | u >> 12));
		put(sink, (char)(0x80 | (u >> 6 & 0x3f)));
		put(sink, (char)(0x80 | (u & 0x3f)));
	} else {
		put(sink, (char)(0xf0 | u >> 18));
		put(sink, (char)(0x80 | (u >> 12 & 0x3f)));
		put(sink, (char)(0x80 | (u >> 6 & 0x3f)));
		put(sink, (char)(0x80 | (u & 0x3f)));
	}
}

static int unicode_escape(struct scan *s, struct sink *sink)
{
	unsigned high, low;

	if (hex4(s, &high) < 0 || (high >= 0xdc00 && high <= 0xdfff))
		return -1;
	if (high >= 0xd800 && high <= 0xdbff) {
		if (!take(s, '\\') || !take(s, 'u') || hex4(s, &low) < 0 || low < 0xdc00 ||
		    low > 0xdfff)
			return -1;
		high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
	}
	put_utf8(sink, high);
	return 0;
}

/* After the opening quote. */
static int string(struct scan *s, struct sink *sink)
{
	static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";

	while (s->at < s->end) {
		unsigned char c = (unsigned char)*s->at++;
		const char *found;

		if (c == '"')
			return 0;
		if (c < 0x20)
			return -1;
		if (c != '\\') {
			put(sink, (char)c);
			continue;
		}
		if (s->at >= s->end)
			return -1;
		c = (unsigned char)*s->at++;
		if (c == 'u') {
			if (unicode_escape(s, sink) < 0)
				return -1;
		} else if (c && (found = strchr(escapes, c))) {
			put(sink, meanings[found - escapes]);
		} else {
			return -1;
		}
	}
	return -1;
}

static bool digits(struct scan *s)
{
	const char *first = s->at;

	while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
		s->at++;
	return s->at > first;
}

static int number(struct scan *s, struct scan_member *m)
{
	const char *first = s->at;
	bool negative = take(s, '-'), whole = true;
	uint64_t v = 0;

	if (!take(s, '0') && !digits(s))
		return -1;
	m->type = SCAN_INTEGER;
	for (const char *p = first + negative; p < s->at; p++) {
		if (v > (INT64_MAX - 9) / 10)
			whole = false;
		else
			v = v * 10 + (uint64_t)(*p - '0');
	}
	if (take(s, '.')) {
		whole = false;
		if (!digits(s))
			return -1;
	}
	if (take(s, 'e') || take(s, 'E')) {
		whole = false;
		if (!take(s, '+'))
			take(s, '-');
		if (!digits(s))
			return -1;
	}
	m->integer = negative ? -(int64_t)v : (int64_t)v;
	if (!whole)
		m->type = SCAN_NUMBER;
	return 0;
}

static int word(struct scan *s, const char *text)
{
	size_t length = strlen(text);

	if ((size_t)(s->end - s->at) < length || memcmp(s->at, text, length))
		return -1;
	s->at += length;
	return 0;
}

static int value(struct scan *s, struct scan_member *m);

/* The rest of an object or array whose members nobody asked for. */
static int nested(struct scan *s, char close)
{
	struct sink nowhere = { .out = NULL };
	struct scan_member ignored;
	bool first = true;

	if (++s->depth > SCAN_DEPTH_MAX)
		return -1;
	for (blanks(s); !take(s, close); blanks(s), first = false) {
		if (!first && !take(s, ','))
			return -1;
		blanks(s);
		if (close == '}') {
			if (!take(s, '"') || string(s, &nowhere) < 0)
				return -1;
			blanks(s);
			if (!take(s, ':'))
				return -1;
			blanks(s);
		}
		if (value(s, &ignored) < 0)
			return -1;
	}
	s->depth--;
	return 0;
}

static int value(struct scan *s, struct scan_member *m)
{
	if (s->at >= s->end)
		return -1;
	m->text_size = 0;
	m->cut = false;
	switch (*s->at) {
	case '"': {
		struct sink sink = { .out = m->text, .max = SCAN_TEXT_MAX };

		s->at++;
		m->type = SCAN_STRING;
		if (string(s, &sink) < 0)
			return -1;
		m->text_size = sink.size;
		m->text[sink.size] = '\0';
		m->cut = sink.cut;
		return 0;
	}
	case '{':
	case '[':
		m->type = SCAN_NESTED;
		return nested(s, *s->at++ == '{' ? '}' : ']');
	case 't':
		m->type = SCAN_TRUE;
		return word(s, "true");
	case 'f':
		m->type = SCAN_FALSE;
		return word(s, "false");
	case 'n':
		m->type = SCAN_NULL;
		return word(s, "null");
	default:
		return number(s, m);
	}
}

static int object(struct scan *s, void (*member)(void *user, const struct scan_member *),
		  void *user)
{
	struct scan_member m;
	bool first = true;

	blanks(s);
	if (!take(s, '{'))
		return -1;
	for (blanks(s); !take(s, '}'); blanks(s), first = false) {
		struct sink key = { .out = m.key, .max = SCAN_KEY_MAX };

		if (!first && !take(s, ','))
			return -1;
		blanks(s);
		if (!take(s, '"') || string(s, &key) < 0)
			return -1;
		m.key[key.size] = '\0';
		blanks(s);
		if (!take(s, ':'))
			return -1;
		blanks(s);
		if (value(s, &m) < 0)
			return -1;
		if (!key.cut)
			member(user, &m);
	}
	blanks(s);
	return s->at == s->end ? 0 : -1;
}

int scan_object(const char *data, size_t size,
		void (*member)(void *user, const struct scan_member *), void *user, size_t *ret_at)
{
	struct scan s = { .begin = data, .at = data, .end = data + size };

	if (object(&s, member, user) == 0)
		return 0;
	*ret_at = (size_t)(s.at - s.begin);
	return -1;
}
