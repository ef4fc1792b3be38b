#include "command/core/scenario_args.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/shell.h"
#include "driver/driver.h"
#include "net/process.h"
#include "wire/wire.h"

static const char *const overlay_folders[] = { "defects", "controls" };

/* scenarios/NAME of the checkout: beside build/ for build/crossfade, one up for
 * build/asan/crossfade. */
static int folder_path(const char *folder, char *out, size_t size, struct err *err)
{
	static const char *const above[] = { "../scenarios", "../../scenarios" };

	for (size_t i = 0; i < sizeof(above) / sizeof(*above); i++) {
		char relative[64];

		snprintf(relative, sizeof(relative), "%s/%s", above[i], folder);
		if (process_beside(relative, out, size, err) < 0)
			return -1;
		if (access(out, R_OK | X_OK) == 0)
			return 0;
	}
	return err_set(err, ERR_INPUT, "no folder scenarios/%s beside the program", folder);
}

static int is_yaml(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 5 && entry->d_name[0] != '.' &&
	       !strcmp(entry->d_name + length - 5, ".yaml");
}

size_t overlay_names(const char *folder, char ***ret)
{
	struct dirent **entries = NULL;
	char path[PATH_MAX], **names;
	int count = 0;

	if (folder_path(folder, path, sizeof(path), NULL) == 0)
		count = scandir(path, &entries, is_yaml, alphasort);
	if (count < 0)
		count = 0;
	names = xcalloc((size_t)count + 1, sizeof(*names));
	for (int i = 0; i < count; i++) {
		names[i] = strndup(entries[i]->d_name, strlen(entries[i]->d_name) - 5);
		free(entries[i]);
	}
	free(entries);
	*ret = names;
	return (size_t)count;
}

void overlay_names_free(char **names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
}

static int overlay_unknown(const char *name, struct err *err)
{
	const char *nearest = NULL;

	for (size_t i = 0; !nearest && i < sizeof(overlay_folders) / sizeof(*overlay_folders);
	     i++) {
		char **names;
		size_t count = overlay_names(overlay_folders[i], &names);

		nearest = command_nearest(name, (const char *const *)names, count);
		if (nearest)
			err_set(err, ERR_INPUT, "no defect or control \"%s\"; did you mean \"%s\"?",
				name, nearest);
		overlay_names_free(names, count);
	}
	return nearest ? -1 :
			 err_set(err, ERR_INPUT,
				 "no defect or control \"%s\"; crossfade list names them", name);
}

int overlay_find(const char *name, char *out, size_t size, struct err *err)
{
	/* A name, not a path: it is printed, stored and typed again. */
	for (size_t i = 0;
	     *name && !strchr(name, '/') && i < sizeof(overlay_folders) / sizeof(*overlay_folders);
	     i++) {
		char path[PATH_MAX];

		if (folder_path(overlay_folders[i], path, sizeof(path), NULL) < 0)
			continue;
		if ((size_t)snprintf(out, size, "%s/%s.yaml", path, name) < size &&
		    access(out, R_OK) == 0)
			return 0;
	}
	return overlay_unknown(name, err);
}

static int parse_seed(const char *text, uint64_t *ret, struct err *err)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end || *text < '0' || *text > '9')
		return err_set(err, ERR_INPUT,
			       "--seed %s: not a number from 0 to 18446744073709551615", text);
	*ret = value;
	return 0;
}

struct variables {
	struct variable *list;
	char **copies; /* the names, cut from "KEY=VALUE" */
	size_t count;
};

static void variables_free(struct variables *variables)
{
	for (size_t i = 0; i < variables->count; i++)
		free(variables->copies[i]);
	free(variables->copies);
	free(variables->list);
}

static void add_variable(struct variables *variables, const char *pair, const char *equals)
{
	size_t i = variables->count++;

	variables->copies = xrealloc(variables->copies,
				     variables->count * sizeof(*variables->copies));
	variables->list = xrealloc(variables->list, variables->count * sizeof(*variables->list));
	variables->copies[i] = strndup(pair, (size_t)(equals - pair));
	variables->list[i] = (struct variable){ .name = variables->copies[i], .value = equals + 1 };
}

/* The first of a name wins, so the words of the command line come first. */
static int collect(const struct flags *flags, struct variables *variables, struct err *err)
{
	const char *const *pairs = NULL;
	size_t count = flags_all(flags, "--env", &pairs);

	for (size_t i = 0; i < count; i++) {
		const char *equals = strchr(pairs[i], '=');

		if (!equals || equals == pairs[i])
			return err_set(err, ERR_INPUT, "-e %s: write KEY=VALUE", pairs[i]);
		add_variable(variables, pairs[i], equals);
	}
	for (char **pair = environ; *pair; pair++) {
		const char *equals = strchr(*pair, '=');

		if (equals && equals != *pair)
			add_variable(variables, *pair, equals);
	}
	return 0;
}

static const char *driver_name(size_t i)
{
	return driver_at(i)->name;
}

static const char *wire_name(size_t i)
{
	return wire_at(i)->name;
}

/* Words that mean a file of this program: the room of scenarios cannot know them. */
static int check_word(const struct scenario *scenario, const char *key, const char *word,
		      const char *(*name_at)(size_t), size_t count, struct err *err)
{
	const char **names = xcalloc(count, sizeof(*names)), *nearest;
	bool known = false;

	for (size_t i = 0; i < count; i++) {
		names[i] = name_at(i);
		known |= !strcmp(names[i], word);
	}
	nearest = command_nearest(word, names, count);
	free(names);
	if (known)
		return 0;
	return err_set(err, ERR_INPUT, "%s: %s: unknown word \"%s\"; %s%s%s", scenario->path, key,
		       word, nearest ? "did you mean \"" : "crossfade list names them",
		       nearest ? nearest : "", nearest ? "\"?" : "");
}

static int check_plugins(const struct scenario *scenario, struct err *err)
{
	if (check_word(scenario, "balancer.driver", scenario->balancer.driver, driver_name,
		       driver_count(), err) < 0)
		return -1;
	return check_word(scenario, "target.wire", scenario->target.wire, wire_name, wire_count(),
			  err);
}

int scenario_args_load(const struct flags *flags, struct scenario **ret, struct buf *warnings,
		       struct err *err)
{
	const char *path = flags_positional(flags, 0);

	if (!path)
		return err_set(err, ERR_INPUT,
			       "no scenario given; for example scenarios/blue_green.yaml");
	return scenario_args_load_file(flags, path, ret, warnings, err);
}

int scenario_args_load_file(const struct flags *flags, const char *path, struct scenario **ret,
			    struct buf *warnings, struct err *err)
{
	const char *seed_text = flags_get(flags, "--seed"), *defect = flags_get(flags, "--defect");
	struct scenario_source source = { .path = path };
	struct variables variables = { 0 };
	struct scenario *scenario = NULL;
	char overlay[PATH_MAX];
	uint64_t seed = 0;
	int result = -1;

	if (seed_text && parse_seed(seed_text, &seed, err) < 0)
		return -1;
	if (defect && overlay_find(defect, overlay, sizeof(overlay), err) < 0)
		return -1;
	source.seed = seed_text ? &seed : NULL;
	source.overlay_path = defect ? overlay : NULL;
	if (collect(flags, &variables, err) == 0) {
		source.variables = variables.list;
		source.variable_count = variables.count;
		result = scenario_load(&source, &scenario, warnings, err);
	}
	variables_free(&variables);
	if (result == 0 && check_plugins(scenario, err) < 0) {
		scenario_free(scenario);
		return -1;
	}
	if (result == 0)
		*ret = scenario;
	return result;
}

void scenario_args_again(const struct flags *flags, uint64_t seed, struct buf *out)
{
	const char *defect = flags_get(flags, "--defect"), *const *pairs = NULL;
	size_t count = flags_all(flags, "--env", &pairs);

	buf_puts(out, "crossfade run ");
	shell_word(out, flags_positional(flags, 0));
	buf_printf(out, " --seed %llu", (unsigned long long)seed);
	if (defect) {
		buf_puts(out, " --defect ");
		shell_word(out, defect);
	}
	for (size_t i = 0; i < count; i++) {
		buf_puts(out, " -e ");
		shell_word(out, pairs[i]);
	}
}
