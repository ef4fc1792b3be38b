#include "observe/redis_roles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "net/redis.h"

enum { INFO_BYTES_MAX = 8192 };

struct redis_roles {
	char *address[REDIS_ROLES_MAX];
	struct redis *redis[REDIS_ROLES_MAX]; /* NULL: not connected */
	enum redis_role role[REDIS_ROLES_MAX],
		spoke[REDIS_ROLES_MAX]; /* spoke: not of its silence */
	size_t count, promoted;		/* promoted: the last that was a replica before */
	int64_t within_ns;
};

struct redis_roles *redis_roles_new(const char *addresses, int64_t within_ns)
{
	struct redis_roles *r = xcalloc(1, sizeof *r);

	r->within_ns = within_ns;
	while (*addresses && r->count < REDIS_ROLES_MAX) {
		int length = (int)strcspn(addresses, ",");

		r->address[r->count++] = xasprintf("%.*s", length, addresses);
		addresses += length + (addresses[length] == ',');
	}
	return r;
}

void redis_roles_free(struct redis_roles *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->count; i++) {
		redis_close(r->redis[i]);
		free(r->address[i]);
	}
	free(r);
}

size_t redis_roles_count(const struct redis_roles *r)
{
	return r->count;
}

const char *redis_roles_address(const struct redis_roles *r, size_t i)
{
	return r->address[i];
}

/* The value after "name:" at the beginning of a line; "" when there is none. */
static const char *field(const char *info, const char *name)
{
	size_t length = strlen(name);

	for (const char *line = info; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, name, length) && line[length] == ':')
			return line + length + 1;
	}
	return "";
}

enum redis_role redis_role_parse(const char *info, struct redis_role_said *ret)
{
	const char *role = field(info, "role");
	char id[9];

	*ret = (struct redis_role_said){ .replicas = 0 };
	if (strncmp(role, "master", 6) != 0 && strncmp(role, "slave", 5) != 0)
		return REDIS_ROLE_SILENT;
	snprintf(id, sizeof id, "%s", field(info, "master_replid"));
	ret->id = (uint32_t)strtoul(id, NULL, 16);
	ret->replicas = (uint32_t)strtoul(field(info, "connected_slaves"), NULL, 10);
	ret->offset = strtoull(field(info, "master_repl_offset"), NULL, 10);
	return *role == 'm' ? REDIS_ROLE_PRIMARY : REDIS_ROLE_REPLICA;
}

enum redis_role redis_roles_ask(struct redis_roles *r, size_t i, struct redis_role_said *ret)
{
	static const char *const words[] = { "INFO", "replication", NULL };
	enum redis_role role = REDIS_ROLE_SILENT;
	struct buf info = buf_init(INFO_BYTES_MAX);

	*ret = (struct redis_role_said){ .replicas = 0 };
	if (r->redis[i] || !redis_open(r->address[i], r->within_ns, &r->redis[i], NULL)) {
		if (!redis_ask(r->redis[i], words, &info, NULL)) {
			role = redis_role_parse(buf_text(&info), ret);
		} else {
			redis_close(r->redis[i]);
			r->redis[i] = NULL;
		}
	}
	buf_free(&info);
	r->role[i] = role;
	if (role == REDIS_ROLE_PRIMARY && r->spoke[i] == REDIS_ROLE_REPLICA)
		r->promoted = i;
	if (role != REDIS_ROLE_SILENT)
		r->spoke[i] = role;
	return role;
}

const char *redis_roles_primary(const struct redis_roles *r, size_t *ret_count)
{
	const char *primary = NULL;

	*ret_count = 0;
	for (size_t i = 0; i < r->count; i++) {
		if (r->role[i] != REDIS_ROLE_PRIMARY)
			continue;
		if (!primary || i == r->promoted)
			primary = r->address[i];
		++*ret_count;
	}
	return primary;
}
