/* Cutovers carried out by the operator's own script: another driver watches, and takes traffic
 * back when it must. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "driver/driver.h"
#include "net/process.h"

enum { PROGRAM_BYTES_MAX = 4096 };

struct driver_session {
	const struct driver *watch;
	struct driver_session *watched; /* the watching driver's own session */
	char **argv;
};

static int fail(struct err *err)
{
	return err_context(err, "exec driver");
}

static char **copy_strings(const char *const *from)
{
	size_t count = 0;
	char **copy;

	while (from[count])
		count++;
	copy = xcalloc(count + 1, sizeof *copy);
	for (size_t i = 0; i < count; i++)
		copy[i] = xstrdup(from[i]);
	return copy;
}

static void exec_close(struct driver_session *s)
{
	if (!s)
		return;
	if (s->watch)
		s->watch->close(s->watched);
	for (size_t i = 0; s->argv && s->argv[i]; i++)
		free(s->argv[i]);
	free(s->argv);
	free(s);
}

/* Told before anybody calls: a script that cannot be started is no cutover that failed. */
static int find_program(const char *name, char *out, size_t size, struct err *err)
{
	struct stat status;

	if (!strchr(name, '/')) {
		if (process_on_path(name, out, size, err) == 0)
			return 0;
		if (err)
			err->kind = ERR_INPUT;
		return -1;
	}
	if (stat(name, &status) < 0 || access(name, X_OK) < 0)
		return err_errno(err, ERR_INPUT, errno, "%s", name);
	if (S_ISDIR(status.st_mode))
		return err_errno(err, ERR_INPUT, EISDIR, "%s", name);
	if ((size_t)snprintf(out, size, "%s", name) >= size)
		return err_errno(err, ERR_INPUT, ENAMETOOLONG, "%s", name);
	return 0;
}

static int exec_open(const struct driver_settings *settings, struct driver_session **ret,
		     struct err *err)
{
	const char *name = settings->watch ? settings->watch : "alb";
	char program[PROGRAM_BYTES_MAX];
	struct driver_session *s;
	int result;

	if (!settings->command || !settings->command[0]) {
		err_set(err, ERR_INPUT, "no command is given");
		return fail(err);
	}
	if (find_program(settings->command[0], program, sizeof program, err) < 0)
		return fail(err);
	s = xcalloc(1, sizeof *s);
	s->argv = copy_strings(settings->command);
	s->watch = driver_find(name);
	if (!s->watch || s->watch->launch)
		result = err_set(err, ERR_INPUT, "\"%s\" is not a driver that can watch", name);
	else
		result = s->watch->open(settings, &s->watched, err);
	if (result < 0) {
		exec_close(s);
		return fail(err);
	}
	*ret = s;
	return 0;
}

static int exec_read(struct driver_session *s, struct driver_view *ret, struct err *err)
{
	return s->watch->read(s->watched, ret, err);
}

/* The script changes the rule, rightly: what the watching driver read last is read anew, so that
 * taking traffic back does not meet its guard against other writers. */
static int exec_set_weights(struct driver_session *s, int blue, int green, struct err *err)
{
	struct driver_view view;

	if (s->watch->read(s->watched, &view, err) < 0)
		return -1;
	return s->watch->set_weights(s->watched, blue, green, err);
}

static int exec_deregister(struct driver_session *s, enum color color, struct err *err)
{
	return s->watch->deregister(s->watched, color, err);
}

static int exec_reregister(struct driver_session *s, enum color color, struct err *err)
{
	return s->watch->reregister(s->watched, color, err);
}

static int exec_connections(struct driver_session *s, int64_t *ret_count, struct err *err)
{
	if (s->watch->connections)
		return s->watch->connections(s->watched, ret_count, err);
	*ret_count = -1;
	return 0;
}

static int exec_launch(struct driver_session *s, const char *const *environment,
		       const char *output_path, struct process *ret, int *ret_output,
		       struct err *err)
{
	char program[PROGRAM_BYTES_MAX];
	struct process_spec spec = {
		.program = program,
		.argv = (const char *const *)s->argv,
		.environment = environment,
		.output_path = output_path,
		.ret_output = ret_output,
		.whole_group = true,
	};

	if (find_program(s->argv[0], program, sizeof program, err) < 0)
		return fail(err);
	return process_spawn(&spec, ret, err) < 0 ? fail(err) : 0;
}

const struct driver driver_exec = {
	.name = "exec",
	.about = "the operator's own cutover script; another driver watches and rolls back",
	.open = exec_open,
	.read = exec_read,
	.set_weights = exec_set_weights,
	.deregister = exec_deregister,
	.reregister = exec_reregister,
	.connections = exec_connections,
	.launch = exec_launch,
	.close = exec_close,
};
