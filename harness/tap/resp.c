#include "tap/resp.h"

#include <string.h>

enum { COMMAND_ARGS_MAX = 1 << 20 };
static const uint64_t bulk_bytes_max = 1ULL << 32;
static const uint64_t elements_max = 1ULL << 32;

void resp_init(struct resp *r, enum resp_side side)
{
	*r = (struct resp){ .side = side, .kept = buf_init(RESP_KEPT_BYTES_MAX) };
}

void resp_wipe(struct resp *r)
{
	if (r->kept.data)
		explicit_bzero(r->kept.data, r->kept.cap);
	buf_clear(&r->kept);
	r->arg_count = 0;
}

void resp_free(struct resp *r)
{
	resp_wipe(r);
	buf_free(&r->kept);
}

const char *resp_arg(const struct resp *r, size_t i, size_t *ret_size)
{
	if (i >= RESP_ARGS_MAX || i >= r->arg_count || r->arg[i].kept != r->arg[i].size)
		return NULL;
	*ret_size = r->arg[i].size;
	return buf_text(&r->kept) + r->arg[i].at;
}

/* --- what is kept --- */

static struct resp_text *text_new(struct resp *r, size_t size)
{
	uint32_t i = r->arg_count++;

	if (i >= RESP_ARGS_MAX)
		return NULL;
	r->arg[i] = (struct resp_text){ .size = size, .at = r->kept.len };
	return &r->arg[i];
}

static void text_add(struct resp *r, const char *data, size_t size)
{
	size_t room = RESP_KEPT_BYTES_MAX - r->kept.len;

	if (r->arg_count < 1 || r->arg_count > RESP_ARGS_MAX)
		return;
	if (r->arg_count == 2 && room > RESP_SECOND_BYTES_MAX - r->arg[1].kept)
		room = RESP_SECOND_BYTES_MAX - r->arg[1].kept;
	if (size > room)
		size = room;
	if (size && !buf_append(&r->kept, data, size))
		r->arg[r->arg_count - 1].kept += size;
}

static bool is_command(const struct resp *r)
{
	return r->side == RESP_COMMANDS;
}

/* The text of the element under way is wanted. */
static bool is_kept(const struct resp *r)
{
	return is_command(r) || !r->depth || (r->depth == 1 && r->element);
}

static void is_null(struct resp *r)
{
	r->null |= !r->depth;
	r->outer_null |= r->depth == 1;
}

/* --- elements --- */

/* "-1", "17": the whole head of an element, no more. */
static bool number(const struct resp *r, int64_t *ret)
{
	const char *p = r->line, *end;
	int64_t n = 0;
	bool negative;

	if (!r->line_size || r->line_size > 18) /* it may be longer than what is kept of it */
		return false;
	end = p + r->line_size;
	negative = *p == '-';
	p += negative;
	if (p == end)
		return false;
	for (; p < end; p++) {
		if (*p < '0' || *p > '9')
			return false;
		n = n * 10 + (*p - '0');
	}
	*ret = negative ? -n : n;
	return true;
}

/* One element is over: so may be those it was the last of. True when the message is. */
static bool element_over(struct resp *r)
{
	r->at = RESP_AT_TYPE;
	while (r->depth) {
		if (r->depth == 1 && r->element && !r->nest[0].attribute)
			r->element(r->user, r, r->outer, r->outer_null);
		if (--r->nest[r->depth - 1].left)
			return false;
		/* An attribute is no element of its parent: what it describes still has to come. */
		if (r->nest[--r->depth].attribute)
			return false;
	}
	r->begun = false;
	if (r->element && strchr("*~%>", r->type))
		r->arg_count = 0;
	return true;
}

static enum resp_status over(struct resp *r)
{
	return element_over(r) ? RESP_MESSAGE : RESP_MORE;
}

static enum resp_status aggregate(struct resp *r, int64_t count)
{
	bool pairs = r->head == '%' || r->head == '|';
	uint64_t elements = count > 0 ? (uint64_t)count << pairs : 0;

	if (count < -1 || (count == -1 && r->head != '*') || elements > elements_max)
		return RESP_BROKEN;
	if (is_command(r) && elements > COMMAND_ARGS_MAX)
		return RESP_BROKEN;
	if (elements == 0) {
		if (is_command(r)) { /* no command at all, and no answer to it */
			r->at = RESP_AT_TYPE;
			r->begun = false;
			return RESP_MORE;
		}
		if (count == -1)
			is_null(r);
		if (r->head == '|') {
			r->at = RESP_AT_TYPE;
			return RESP_MORE;
		}
		return over(r);
	}
	if (r->depth == RESP_DEPTH_MAX)
		return RESP_BROKEN;
	r->nest[r->depth].left = elements;
	r->nest[r->depth].attribute = r->head == '|';
	r->depth++;
	r->at = RESP_AT_TYPE;
	return RESP_MORE;
}

static enum resp_status bulk(struct resp *r, int64_t size)
{
	if (size < -1 || (size == -1 && is_command(r)) || (uint64_t)(size + 1) > bulk_bytes_max)
		return RESP_BROKEN;
	if (size == -1) {
		is_null(r);
		return over(r);
	}
	if (is_kept(r))
		text_new(r, (size_t)size);
	r->bulk_left = (uint64_t)size;
	r->at = size ? RESP_IN_BULK : RESP_AFTER_BULK;
	r->line_size = 0;
	return RESP_MORE;
}

/* A line command: words between blanks. Quotes are left as they are: whoever types them is no
 * agent. */
static enum resp_status inline_command(struct resp *r)
{
	const char *text = buf_text(&r->kept);
	size_t size = r->kept.len, i = 0;

	for (;;) {
		struct resp_text *word;
		size_t from;

		while (i < size && (text[i] == ' ' || text[i] == '\t' || text[i] == '\r'))
			i++;
		if (i == size)
			break;
		for (from = i; i < size && text[i] != ' ' && text[i] != '\t' && text[i] != '\r';)
			i++;
		word = text_new(r, i - from);
		if (word)
			*word = (struct resp_text){ .size = i - from,
						    .at = from,
						    .kept = i - from };
	}
	r->at = RESP_AT_TYPE;
	r->begun = false;
	return r->arg_count ? RESP_MESSAGE : RESP_MORE;
}

/* The head of an element is complete. */
static enum resp_status line_over(struct resp *r)
{
	int64_t n;

	switch (r->head) {
	case '*':
	case '~':
	case '%':
	case '>':
	case '|':
		return number(r, &n) ? aggregate(r, n) : RESP_BROKEN;
	case '$':
	case '!':
	case '=':
		return number(r, &n) ? bulk(r, n) : RESP_BROKEN;
	case '_':
		is_null(r);
		return over(r);
	default: /* + - : , # ( */
		if (r->line_size > sizeof r->line)
			r->line_size = sizeof r->line;
		if (is_kept(r) && text_new(r, r->line_size))
			text_add(r, r->line, r->line_size);
		return over(r);
	}
}

static enum resp_status take_type(struct resp *r, char c)
{
	if (!r->begun) {
		r->begun = true;
		r->type = is_command(r) && c != '*' ? 'i' : c;
		r->null = false;
		r->arg_count = 0;
		r->depth = 0;
		if (r->kept.cap > 4096)
			buf_free(&r->kept);
		buf_clear(&r->kept);
		if (r->type == 'i') {
			r->head = 'i';
			r->at = RESP_IN_LINE;
			r->line_size = 0;
			return RESP_MORE;
		}
	}
	if (is_command(r) ? c != (r->depth ? '$' : '*') : !c || !strchr("+-:,#(_$!=*~%>|", c))
		return RESP_BROKEN;
	if (c == '>' && r->depth)
		return RESP_BROKEN;
	r->head = c;
	r->at = RESP_IN_LINE;
	r->line_size = 0;
	r->return_seen = false;
	if (is_command(r))
		return RESP_MORE;
	if (!r->depth) {
		r->type = c; /* of what an attribute describes, not the attribute's */
	} else if (r->depth == 1) {
		r->outer = c;
		r->outer_null = false;
	}
	if (r->depth <= 1) {
		r->arg_count = 0;
		buf_clear(&r->kept);
	}
	return RESP_MORE;
}

static enum resp_status take_line(struct resp *r, const char *data, size_t size, size_t *used)
{
	const char *end;

	if (r->head == 'i') {
		end = memchr(data, '\n', size);
		*used = end ? (size_t)(end - data) + 1 : size;
		if (r->kept.len + *used > RESP_LINE_BYTES_MAX + 2)
			return RESP_BROKEN;
		buf_append(&r->kept, data, end ? *used - 1 : *used);
		return end ? inline_command(r) : RESP_MORE;
	}
	for (size_t i = 0; i < size; i++) {
		if (r->return_seen) {
			*used = i + 1;
			return data[i] == '\n' ? line_over(r) : RESP_BROKEN;
		}
		if (data[i] == '\r')
			r->return_seen = true;
		else if (data[i] == '\n' || r->line_size > RESP_LINE_BYTES_MAX)
			return RESP_BROKEN;
		else if (r->line_size++ < sizeof r->line)
			r->line[r->line_size - 1] = data[i];
	}
	*used = size;
	return RESP_MORE;
}

static enum resp_status take_bulk(struct resp *r, const char *data, size_t size, size_t *used)
{
	*used = r->bulk_left < size ? (size_t)r->bulk_left : size;
	if (is_kept(r))
		text_add(r, data, *used);
	r->bulk_left -= *used;
	if (!r->bulk_left)
		r->at = RESP_AFTER_BULK;
	return RESP_MORE;
}

static enum resp_status take_one(struct resp *r, const char *data, size_t size, size_t *used)
{
	*used = 1;
	switch (r->at) {
	case RESP_AT_TYPE:
		return take_type(r, *data);
	case RESP_IN_LINE:
		return take_line(r, data, size, used);
	case RESP_IN_BULK:
		return take_bulk(r, data, size, used);
	case RESP_AFTER_BULK:
		if (*data != "\r\n"[r->line_size])
			return RESP_BROKEN;
		return ++r->line_size == 2 ? over(r) : RESP_MORE;
	}
	return RESP_BROKEN;
}

enum resp_status resp_feed(struct resp *r, const char *data, size_t size, size_t *ret_used)
{
	enum resp_status status = r->broken ? RESP_BROKEN : RESP_MORE;
	size_t total = 0, used;

	while (total < size && status == RESP_MORE) {
		bool first = r->at == RESP_AT_TYPE && !r->begun;

		status = take_one(r, data + total, size - total, &used);
		/* A line command has no type byte: read its first byte again as part of the line.
		 */
		if (!(first && status == RESP_MORE && r->head == 'i' && r->at == RESP_IN_LINE))
			total += used;
	}
	r->broken = status == RESP_BROKEN;
	*ret_used = total;
	return status;
}
