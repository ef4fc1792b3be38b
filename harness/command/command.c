#include "command/command.h"

#include <string.h>

#define PLUGIN(file) extern const struct command command_##file;
#include "registry/command.inc"
#undef PLUGIN

static const struct command *const commands[] = {
#define PLUGIN(file) &command_##file,
#include "registry/command.inc"
#undef PLUGIN
};

size_t command_count(void)
{
	return sizeof(commands) / sizeof(*commands);
}

const struct command *command_at(size_t i)
{
	return i < command_count() ? commands[i] : NULL;
}

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < command_count(); i++) {
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	}
	return NULL;
}
