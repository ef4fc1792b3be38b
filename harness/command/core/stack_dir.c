#include "command/core/stack_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/shell.h"
#include "command/core/run_dir.h"

/* The certificates of a wss listener are made anew each time. */
static const char *const said[] = { "stack.json", "env", "ca.pem", "certificate.pem", "key.pem" };

/* ---- the facts ---- */

static json_t *json_of_process(const struct other_process *p)
{
	return json_pack("{s:i, s:I}", "pid", (int)p->pid, "started", (json_int_t)p->started);
}

static json_t *json_of_facts(const struct stack_facts *f)
{
	json_t *members = json_array();

	for (size_t i = 0; i < f->member_count; i++) {
		const struct stack_member *m = &f->member[i];

		json_array_append_new(members,
				      json_pack("{s:s, s:s, s:s, s:o}", "name", m->name, "color",
						color_name(m->color), "address", m->address,
						"process", json_of_process(&m->process)));
	}
	return json_pack("{s:s, s:o, s:s, s:b, s:s, s:s, s:s, s:s, s:s, s:o}", "schema",
			 "crossfade.stack/1", "up", json_of_process(&f->up), "since", f->since,
			 "ready", (int)f->ready, "url", f->url, "endpoint", f->endpoint, "redis",
			 f->redis, "rule", f->rule, "path", f->path, "members", members);
}

static bool take_text(const json_t *object, const char *key, char *out, size_t size)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text && (size_t)snprintf(out, size, "%s", text) < size;
}

static bool take_process(const json_t *json, struct other_process *ret)
{
	const json_t *pid = json_object_get(json, "pid"), *at = json_object_get(json, "started");

	if (!json_is_integer(pid) || !json_is_integer(at) || json_integer_value(pid) < 1 ||
	    json_integer_value(pid) > INT_MAX)
		return false;
	ret->pid = (pid_t)json_integer_value(pid);
	ret->started = (uint64_t)json_integer_value(at);
	return true;
}

static bool take_member(const json_t *json, struct stack_member *ret)
{
	char color[16];
	int value;

	if (!take_text(json, "name", ret->name, sizeof ret->name) ||
	    !take_text(json, "color", color, sizeof color) ||
	    !take_text(json, "address", ret->address, sizeof ret->address) ||
	    !take_process(json_object_get(json, "process"), &ret->process))
		return false;
	value = color_parse(color);
	ret->color = value > 0 ? (enum color)value : COLOR_UNKNOWN;
	return true;
}

static bool take_facts(const json_t *json, struct stack_facts *ret)
{
	const json_t *members = json_object_get(json, "members");
	char schema[32];

	if (!take_text(json, "schema", schema, sizeof schema) ||
	    strcmp(schema, "crossfade.stack/1") != 0 ||
	    !take_process(json_object_get(json, "up"), &ret->up) ||
	    !take_text(json, "since", ret->since, sizeof ret->since) ||
	    !take_text(json, "url", ret->url, sizeof ret->url) ||
	    !take_text(json, "endpoint", ret->endpoint, sizeof ret->endpoint) ||
	    !take_text(json, "redis", ret->redis, sizeof ret->redis) ||
	    !take_text(json, "rule", ret->rule, sizeof ret->rule) ||
	    !take_text(json, "path", ret->path, sizeof ret->path) || !json_is_array(members) ||
	    json_array_size(members) > STACK_MEMBERS_MAX)
		return false;
	ret->ready = json_is_true(json_object_get(json, "ready"));
	for (; ret->member_count < json_array_size(members); ret->member_count++)
		if (!take_member(json_array_get(members, ret->member_count),
				 &ret->member[ret->member_count]))
			return false;
	return true;
}

int stack_facts_read(const char *dir, struct stack_facts *ret, struct err *err)
{
	struct stack_facts facts = { .member_count = 0 };
	char *path = xasprintf("%s/stack.json", dir);
	json_error_t where;
	json_t *json;
	int why, result = 1;

	errno = 0;
	json = json_load_file(path, JSON_REJECT_DUPLICATES, &where);
	why = errno; /* not asked again whether it is there: it may have come meanwhile */
	if (json && take_facts(json, &facts))
		*ret = facts;
	else if (!json && (why == ENOENT || why == ENOTDIR))
		result = 0;
	else
		result = err_set(err, ERR_INPUT, "%s: not what a stack says of itself%s%s", path,
				 json ? "" : ": ", json ? "" : where.text);
	json_decref(json);
	free(path);
	return result;
}

/* Readers find the old file or the new one, nobody but us may read it. */
static int write_private(const char *dir, const char *name, const char *text, struct err *err)
{
	char *path = xasprintf("%s/%s", dir, name), *fresh = xasprintf("%s.new", path);
	int fd = -1, result = 0;
	FILE *file = NULL;

	unlink(fresh); /* of one who was killed: it may be anybody's to read */
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0)
		file = fdopen(fd, "w");
	if (!file || fputs(text, file) < 0)
		result = err_errno(err, ERR_INPUT, errno, "write %s", fresh);
	if (file && fclose(file) && !result)
		result = err_errno(err, ERR_INPUT, errno, "write %s", fresh);
	if (!result && rename(fresh, path) < 0)
		result = err_errno(err, ERR_INPUT, errno, "write %s", path);
	free(fresh);
	free(path);
	return result;
}

int stack_facts_write(const char *dir, const struct stack_facts *facts, struct err *err)
{
	json_t *json = json_of_facts(facts);
	char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
	int result = text ? write_private(dir, "stack.json", text, err) :
			    err_set(err, ERR_HARNESS, "%s/stack.json: a name that is no UTF-8",
				    dir);

	free(text);
	json_decref(json);
	return result;
}

/* ---- the environment ---- */

int stack_env_write(const char *dir, const char *const *lines, struct err *err)
{
	struct buf text = buf_init(1 << 16);
	int result;

	for (; *lines; lines++) {
		const char *equals = strchr(*lines, '=');

		buf_printf(&text, "export %.*s=", (int)(equals - *lines), *lines);
		shell_quote(&text, equals + 1);
		buf_puts(&text, "\n");
	}
	result = write_private(dir, "env", buf_text(&text), err);
	explicit_bzero(text.data, text.len);
	buf_free(&text);
	return result;
}

bool stack_env_value(const char *dir, const char *name, char *out, size_t size)
{
	char *path = xasprintf("%s/env", dir), line[2048];
	FILE *file = fopen(path, "re");
	size_t length = strlen(name);
	bool found = false;

	while (file && !found && fgets(line, sizeof line, file)) {
		char *value = line + sizeof "export " - 1, *end = strrchr(line, '\'');

		found = !strncmp(line, "export ", 7) && !strncmp(value, name, length) &&
			!strncmp(value + length, "='", 2) && end > value + length + 1;
		if (found)
			snprintf(out, size, "%.*s", (int)(end - value - length - 2),
				 value + length + 2);
	}
	explicit_bzero(line, sizeof line);
	if (file)
		fclose(file);
	free(path);
	return found;
}

/* ---- the folder ---- */

static int taken(const char *path, struct err *err)
{
	struct stack_facts facts;
	struct buf word = buf_init(2 * PATH_MAX);

	if (stack_facts_read(path, &facts, NULL) != 1)
		return err_set(err, ERR_INPUT, "%s: another stack is just starting there", path);
	shell_word(&word, path);
	err_set(err, ERR_INPUT,
		"%s: a stack is there already, pid %d, since %s; crossfade stack down --dir %s ends it",
		path, (int)facts.up.pid, facts.since, buf_text(&word));
	buf_free(&word);
	return -1;
}

int stack_dir_take(const char *path, struct stack_dir *ret, struct err *err)
{
	struct stack_dir d = { .lock = -1 };
	char *lock;

	if ((size_t)snprintf(d.path, sizeof d.path, "%s", path) >= sizeof d.path)
		return err_set(err, ERR_INPUT, "--dir: longer than %zu bytes", sizeof d.path - 1);
	if (folder_make(path, err) < 0)
		return -1;
	lock = xasprintf("%s/lock", path);
	d.lock = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (d.lock < 0)
		err_errno(err, ERR_INPUT, errno, "%s", lock);
	free(lock);
	if (d.lock < 0)
		return -1;
	if (flock(d.lock, LOCK_EX | LOCK_NB) < 0) {
		close(d.lock);
		return taken(path, err);
	}
	*ret = d;
	return 0;
}

void stack_dir_clear(const char *path)
{
	for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
		char *file = xasprintf("%s/%s", path, said[i]);

		unlink(file);
		free(file);
	}
}

void stack_dir_leave(struct stack_dir *d)
{
	if (d->lock < 0)
		return;
	stack_dir_clear(d->path);
	close(d->lock);
	d->lock = -1;
}
