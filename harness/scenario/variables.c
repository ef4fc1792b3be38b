#include "scenario/variables.h"

#include <stdio.h>
#include <string.h>

static const char *const late_names[] = { "alb", "redis", "call", "run", "color", "instance" };
enum { LATE = sizeof late_names / sizeof *late_names, NAME_MAX_BYTES = 64 };

/* One ${...}: its name and, when given, its default. */
struct reference {
	char name[NAME_MAX_BYTES];
	const char *fallback; /* NULL: none */
	size_t fallback_length;
	const char *end; /* past the brace */
};

static bool is_name(const char *s, size_t length)
{
	static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";

	if (!length || length >= NAME_MAX_BYTES || !strchr(first, *s))
		return false;
	for (size_t i = 1; i < length; i++)
		if (!strchr(first, s[i]) && !(s[i] >= '0' && s[i] <= '9'))
			return false;
	return true;
}

/* `at` points at "${". The error does not name the place. */
static int reference_parse(const char *at, struct reference *ret, struct err *err)
{
	const char *name = at + 2, *end = strchr(name, '}');
	size_t length;

	if (!end)
		return err_set(err, ERR_INPUT, "\"${\" without its \"}\"");
	length = (size_t)(end - name);
	*ret = (struct reference){ .end = end + 1 };
	for (size_t i = 0; i + 1 < length; i++) {
		if (name[i] == ':' && name[i + 1] == '-') {
			ret->fallback = name + i + 2;
			ret->fallback_length = (size_t)(end - ret->fallback);
			length = i;
		}
	}
	if (!is_name(name, length))
		return err_set(err, ERR_INPUT,
			       "\"%.*s\" is not a variable; write ${NAME} or ${NAME:-default}",
			       (int)(end + 1 - at > 40 ? 40 : end + 1 - at), at);
	memcpy(ret->name, name, length);
	ret->name[length] = '\0';
	for (size_t i = 0; i + 1 < ret->fallback_length; i++)
		if (ret->fallback[i] == '$' && ret->fallback[i + 1] == '{')
			return err_set(err, ERR_INPUT,
				       "the default of ${%s} holds another variable", ret->name);
	return 0;
}

static const char *value_of(const struct variable *variables, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(variables[i].name, name))
			return variables[i].value;
	return NULL;
}

static bool is_late(const char *name)
{
	for (size_t i = 0; i < LATE; i++)
		if (!strcmp(late_names[i], name))
			return true;
	return false;
}

/* Where the n-th "${" of a scalar is written, if the scalar stands on its first line. */
static struct mark reference_mark(const struct source *source, struct mark scalar, int n)
{
	size_t length;
	const char *line = place_line(source, scalar.line, &length), *p = line;
	struct mark mark = { scalar.line, 1 };

	for (int column = 1; p < line + length; p++) {
		if (((unsigned char)*p & 0xc0) == 0x80)
			continue;
		mark.column = column++;
		if (mark.column >= scalar.column && p[0] == '$' && p[1] == '{' && n-- == 0)
			return mark;
	}
	return scalar;
}

static int replace_one(const struct reference *ref, const char *at,
		       const struct variable *variables, size_t count, struct buf *out,
		       struct err *err)
{
	const char *value;

	if (is_late(ref->name)) {
		if (ref->fallback)
			return err_set(err, ERR_INPUT,
				       "${%s} is bound when the run starts and takes no default",
				       ref->name);
		buf_append(out, at, (size_t)(ref->end - at));
		return 0;
	}
	value = value_of(variables, count, ref->name);
	if (!value && !ref->fallback)
		return err_set(err, ERR_INPUT,
			       "${%s} is not defined; give -e %s=VALUE or write ${%s:-default}",
			       ref->name, ref->name, ref->name);
	if (value && strstr(value, "${"))
		return err_set(err, ERR_INPUT,
			       "the value of ${%s} holds \"${\"; variables are not replaced twice",
			       ref->name);
	if (value)
		buf_puts(out, value);
	else
		buf_append(out, ref->fallback, ref->fallback_length);
	return 0;
}

static size_t count_references(const char *text)
{
	size_t n = 0;

	while ((text = strstr(text, "${"))) {
		text += 2;
		n++;
	}
	return n;
}

int variables_replace(const struct source *source, struct mark mark, const char *text,
		      const struct variable *variables, size_t count, struct buf *out,
		      struct err *err)
{
	struct err why = { .kind = ERR_NONE };
	size_t from = out->len, late = 0;
	struct reference ref;
	const char *at;

	for (int n = 0; (at = strstr(text, "${")); n++, text = ref.end) {
		buf_append(out, text, (size_t)(at - text));
		if (reference_parse(at, &ref, &why) < 0 ||
		    replace_one(&ref, at, variables, count, out, &why) < 0)
			return place_error(source, reference_mark(source, mark, n), NULL, err, "%s",
					   why.text);
		late += is_late(ref.name);
	}
	buf_puts(out, text);
	if (out->overflow)
		return place_error(source, mark, NULL, err,
				   "the value is longer than %zu bytes with its variables replaced",
				   out->max);
	/* "$" from a value and "{" from its neighbour would be a variable when loaded again. */
	if (count_references(buf_text(out) + from) != late)
		return place_error(source, mark, NULL, err,
				   "the value holds \"${\" once its variables are replaced");
	return 0;
}

bool variables_mention(const char *text, const char *name)
{
	struct reference ref;

	for (; (text = strstr(text, "${")); text = ref.end) {
		if (reference_parse(text, &ref, NULL) < 0)
			return false;
		if (!strcmp(ref.name, name))
			return true;
	}
	return false;
}

int scenario_bind(const char *text, const struct variable *variables, size_t count, struct buf *out,
		  struct err *err)
{
	const char *whole = text, *at;
	struct reference ref;

	for (; (at = strstr(text, "${")); text = ref.end) {
		const char *value;

		buf_append(out, text, (size_t)(at - text));
		if (reference_parse(at, &ref, err) < 0)
			return err_context(err, "\"%s\"", whole);
		value = value_of(variables, count, ref.name);
		if (!value)
			return err_set(err, ERR_INPUT, "\"%s\": ${%s} has no value here", whole,
				       ref.name);
		buf_puts(out, value);
	}
	buf_puts(out, text);
	return out->overflow ? err_set(err, ERR_INPUT, "\"%s\" is longer than %zu bytes once bound",
				       whole, out->max) :
			       0;
}
