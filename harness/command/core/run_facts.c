#include "command/core/run_facts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/buf.h"
#include "command/core/version.h"

enum { LINES_MAX = 256 };

/* All lines of RUN/name without their ends; NULL-terminated. No such file: no lines. */
static char **read_lines(const char *run_dir, const char *name)
{
	char **lines = xcalloc(LINES_MAX + 1, sizeof(*lines)),
	     *path = xasprintf("%s/%s", run_dir, name), *line = NULL;
	FILE *file = fopen(path, "re");
	size_t count = 0, size = 0;

	free(path);
	if (!file)
		return lines;
	while (count < LINES_MAX && getline(&line, &size, file) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		lines[count++] = xstrdup(line);
	}
	free(line);
	fclose(file);
	return lines;
}

void run_facts_read(const char *run_dir, struct run_facts *ret)
{
	char **again = read_lines(run_dir, "again");

	ret->environment = read_lines(run_dir, "environment");
	ret->again = again[0];
	for (size_t i = 1; again[0] && again[i]; i++)
		free(again[i]);
	free(again);
}

void run_facts_free(struct run_facts *facts)
{
	for (size_t i = 0; facts->environment && facts->environment[i]; i++)
		free(facts->environment[i]);
	free(facts->environment);
	free(facts->again);
	*facts = (struct run_facts){ 0 };
}

static int write_text(const char *run_dir, const char *name, const char *text, struct err *err)
{
	char *path = xasprintf("%s/%s", run_dir, name);
	FILE *file = fopen(path, "we");
	int result = 0;

	if (!file) {
		result = err_errno(err, ERR_HARNESS, errno, "%s", path);
	} else {
		int bad = fputs(text, file) == EOF;

		if (fclose(file) != 0 || bad)
			result = err_errno(err, ERR_HARNESS, errno, "write %s", path);
	}
	free(path);
	return result;
}

static void describe_machine(struct buf *out)
{
	struct utsname host;

	buf_printf(out, "crossfade=%s\ncompiler=gcc %s\n", VERSION_TEXT, __VERSION__);
	if (uname(&host) == 0)
		buf_printf(out, "kernel=%s %s\nmachine=%s\n", host.sysname, host.release,
			   host.machine);
	buf_printf(out, "cores=%ld\nmemory_bytes=%lld\n", sysconf(_SC_NPROCESSORS_ONLN),
		   (long long)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE));
}

int run_facts_write(const char *run_dir, const char *again, struct err *err)
{
	struct buf machine = buf_init(4096);
	char *line = xasprintf("%s\n", again);
	int result = write_text(run_dir, "again", line, err);

	describe_machine(&machine);
	if (result == 0)
		result = write_text(run_dir, "environment", buf_text(&machine), err);
	free(line);
	buf_free(&machine);
	return result;
}
