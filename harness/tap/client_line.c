#include "tap/client_line.h"

#include <stdlib.h>
#include <string.h>

static void copy(char *out, size_t room, const char *value, size_t size)
{
	size = size < room ? size : room - 1;
	memcpy(out, value, size);
	out[size] = '\0';
	for (char *c = out; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

bool client_line_parse(const char *line, struct client_line *ret)
{
	struct client_line c = { .id = 0 };

	while (*line) {
		size_t size = strcspn(line, " \r\n"), name = strcspn(line, "= ");
		const char *value = line + name + 1;
		size_t value_size = name < size ? size - name - 1 : 0;

		if (name == 2 && !memcmp(line, "id", 2))
			c.id = strtoull(value, NULL, 10);
		else if (name == 4 && !memcmp(line, "addr", 4))
			copy(c.addr, sizeof c.addr, value, value_size);
		else if (name == 4 && !memcmp(line, "name", 4))
			copy(c.name, sizeof c.name, value, value_size);
		else if (name == 3 && !memcmp(line, "cmd", 3))
			copy(c.command, sizeof c.command, value, value_size);
		else if (name == 5 && !memcmp(line, "flags", 5))
			copy(c.flags, sizeof c.flags, value, value_size);
		line += size;
		line += strspn(line, " \r\n");
	}
	if (!c.id || !c.addr[0])
		return false;
	*ret = c;
	return true;
}

static bool begins_with(const char *text, const char *begin)
{
	return !strncmp(text, begin, strlen(begin));
}

bool client_line_is_known(const struct client_line *c)
{
	return strpbrk(c->flags, "SM") || begins_with(c->name, "crossfade-") ||
	       begins_with(c->name, "sentinel-") || !strcmp(c->command, "NULL");
}
