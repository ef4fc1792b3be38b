#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "command/command.h"
#include "command/core/dispatch.h"

struct flag_values {
	const struct flag *flag;
	const char **values;
	size_t count;
};

struct flags {
	struct flag_values *table;
	size_t count;
	const char **positional;
	size_t positional_count;
};

void flags_free(struct flags *flags)
{
	if (!flags)
		return;
	for (size_t i = 0; i < flags->count; i++)
		free(flags->table[i].values);
	free(flags->table);
	free(flags->positional);
	free(flags);
}

static struct flag_values *by_name(const struct flags *flags, const char *name, size_t length)
{
	for (size_t i = 0; i < flags->count; i++) {
		const char *known = flags->table[i].flag->name;

		if (strlen(known) == length && !memcmp(known, name, length))
			return &flags->table[i];
	}
	return NULL;
}

static struct flag_values *by_letter(const struct flags *flags, char letter)
{
	for (size_t i = 0; i < flags->count; i++) {
		if (flags->table[i].flag->letter == letter)
			return &flags->table[i];
	}
	return NULL;
}

static void add(const char ***list, size_t *count, const char *value)
{
	*list = xrealloc(*list, (*count + 1) * sizeof(**list));
	(*list)[(*count)++] = value;
}

static int unknown(const struct command *command, const struct flags *flags, const char *name,
		   struct err *err)
{
	const char **words = xcalloc(flags->count + 1, sizeof(*words));
	size_t length = strcspn(name, "=");
	char typed[64];

	for (size_t i = 0; i < flags->count; i++)
		words[i] = flags->table[i].flag->name;
	words[flags->count] = "--help";
	snprintf(typed, sizeof(typed), "%.*s", (int)length, name);
	const char *nearest = command_nearest(typed, words, flags->count + 1);
	if (nearest)
		err_set(err, ERR_INPUT, "%s: no flag \"%s\"; did you mean \"%s\"?", command->name,
			typed, nearest);
	else
		err_set(err, ERR_INPUT, "%s: no flag \"%s\"; crossfade %s --help lists them",
			command->name, typed, command->name);
	free(words);
	return -1;
}

/* One flag at argv[*i]; moves *i past a value of its own word. */
static int take(const struct command *command, struct flags *flags, int argc, char **argv, int *i,
		struct err *err)
{
	const char *word = argv[*i], *value = NULL;
	struct flag_values *known;

	if (word[1] == '-') {
		size_t length = strcspn(word, "=");

		known = by_name(flags, word, length);
		if (word[length])
			value = word + length + 1;
	} else {
		known = by_letter(flags, word[1]);
		if (word[2])
			value = word + 2;
	}
	if (!known)
		return unknown(command, flags, word, err);
	if (!known->flag->takes_value) {
		if (value)
			return err_set(err, ERR_INPUT, "%s: %s takes no value, got \"%s\"",
				       command->name, known->flag->name, value);
		value = "1";
	} else if (!value) {
		if (*i + 1 >= argc)
			return err_set(err, ERR_INPUT, "%s: %s needs a value", command->name,
				       known->flag->name);
		value = argv[++*i];
	}
	if (known->count && known->flag->takes_value && !known->flag->repeats)
		return err_set(err, ERR_INPUT, "%s: %s is given twice: \"%s\" and \"%s\"",
			       command->name, known->flag->name, known->values[0], value);
	add(&known->values, &known->count, value);
	return 0;
}

/* The twins in the environment speak only where the command line is silent. */
static void environment(struct flags *flags)
{
	for (size_t i = 0; i < flags->count; i++) {
		struct flag_values *values = &flags->table[i];
		const char *name = values->flag->env;
		const char *value = name && !values->count ? getenv(name) : NULL;

		if (value && *value && (values->flag->takes_value || strcmp(value, "0") != 0))
			add(&values->values, &values->count, value);
	}
}

int flags_parse(const struct command *command, const struct flag *table, size_t count, int argc,
		char **argv, struct flags **ret)
{
	struct flags *flags = xcalloc(1, sizeof(*flags));
	struct err err = { 0 };
	bool words_only = false;

	flags->table = xcalloc(count ? count : 1, sizeof(*flags->table));
	flags->count = count;
	for (size_t i = 0; i < count; i++)
		flags->table[i].flag = &table[i];
	for (int i = 1; i < argc; i++) {
		if (words_only || argv[i][0] != '-' || !argv[i][1]) {
			add(&flags->positional, &flags->positional_count, argv[i]);
		} else if (!strcmp(argv[i], "--")) {
			words_only = true;
		} else if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			help_command(command, stdout);
			flags_free(flags);
			return 1;
		} else if (take(command, flags, argc, argv, &i, &err) < 0) {
			command_fail(&err);
			flags_free(flags);
			return -1;
		}
	}
	environment(flags);
	*ret = flags;
	return 0;
}

int flags_expect(const struct command *command, const struct flags *flags, size_t least,
		 size_t most)
{
	struct err err = { 0 };

	if (flags->positional_count >= least && flags->positional_count <= most)
		return 0;
	if (flags->positional_count > most)
		err_set(&err, ERR_INPUT, "%s: \"%s\" is one word too many; usage: crossfade %s %s",
			command->name, flags->positional[most], command->name, command->usage);
	else
		err_set(&err, ERR_INPUT, "%s: a word is missing; usage: crossfade %s %s",
			command->name, command->name, command->usage);
	command_fail(&err);
	return -1;
}

const char *flags_get(const struct flags *flags, const char *name)
{
	const struct flag_values *values = by_name(flags, name, strlen(name));

	return values && values->count ? values->values[0] : NULL;
}

size_t flags_all(const struct flags *flags, const char *name, const char *const **ret)
{
	const struct flag_values *values = by_name(flags, name, strlen(name));

	if (!values)
		return 0;
	*ret = values->values;
	return values->count;
}

const char *flags_positional(const struct flags *flags, size_t i)
{
	return i < flags->positional_count ? flags->positional[i] : NULL;
}
