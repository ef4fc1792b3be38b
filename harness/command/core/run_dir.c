#include "command/core/run_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

int folder_make(const char *path, struct err *err)
{
	char part[3072];

	for (const char *slash = path; slash;) {
		slash = strchr(slash + 1, '/');
		snprintf(part, sizeof part, "%.*s", slash ? (int)(slash - path) : (int)strlen(path),
			 path);
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return err_errno(err, ERR_INPUT, errno, "folder %s", part);
	}
	return 0;
}

static bool holds_a_run(const char *path)
{
	char pattern[3200];
	glob_t found = { 0 };
	bool any;

	snprintf(pattern, sizeof pattern, "%s/*.lane", path);
	any = glob(pattern, 0, NULL, &found) == 0;
	globfree(&found);
	return any;
}

static int write_scenario(const char *dir, const struct scenario *sc, struct err *err)
{
	struct buf text = buf_init(1 << 20);
	char path[3200];
	FILE *f;
	int result = 0;

	scenario_write(sc, &text);
	snprintf(path, sizeof path, "%s/scenario.yaml", dir);
	f = fopen(path, "we");
	if (!f || fwrite(buf_text(&text), 1, text.len, f) != text.len)
		result = err_errno(err, ERR_INPUT, errno, "write %s", path);
	if (f && fclose(f) && !result)
		result = err_errno(err, ERR_INPUT, errno, "write %s", path);
	buf_free(&text);
	return result;
}

/* Replaces the link in one step, so that a reader always finds one. Not worth failing a run for. */
static void link_latest(const char *parent, const char *name)
{
	char link[3200], fresh[3300];

	snprintf(link, sizeof link, "%s/latest", parent);
	snprintf(fresh, sizeof fresh, "%s.%d", link, (int)getpid());
	if (symlink(name, fresh) == 0 && rename(fresh, link) < 0)
		unlink(fresh);
}

int run_dir_create(const struct scenario *sc, const char *chosen, struct run_dir *ret,
		   struct err *err)
{
	struct run_dir d;
	char utc[20], parent[2048], name[128];
	time_t now = (time_t)(clock_realtime_ns() / NS_PER_S);
	unsigned char random[3];
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(utc, sizeof utc, "%Y%m%dT%H%M%SZ", &tm);
	if (getrandom(random, sizeof random, 0) != sizeof random)
		return err_errno(err, ERR_HARNESS, errno, "random run id");
	snprintf(d.run6, sizeof d.run6, "%02x%02x%02x", random[0], random[1], random[2]);
	snprintf(d.run_id, sizeof d.run_id, "%.24s-%s-%s", sc->name, utc, d.run6);
	if (chosen) {
		snprintf(d.path, sizeof d.path, "%s", chosen);
	} else {
		snprintf(parent, sizeof parent, "runs/%s", sc->name);
		snprintf(name, sizeof name, "%s-%llu", utc, (unsigned long long)sc->seed);
		if (folder_make(parent, err) < 0)
			return -1;
		snprintf(d.path, sizeof d.path, "%s/%s", parent, name);
		/* Two runs of one seed in one second. */
		if (mkdir(d.path, 0755) < 0 && errno == EEXIST) {
			snprintf(name, sizeof name, "%s-%llu-%s", utc, (unsigned long long)sc->seed,
				 d.run6);
			snprintf(d.path, sizeof d.path, "%s/%s", parent, name);
		}
	}
	if (folder_make(d.path, err) < 0)
		return -1;
	if (holds_a_run(d.path))
		return err_set(err, ERR_INPUT, "run directory %s already holds a run", d.path);
	if (write_scenario(d.path, sc, err) < 0)
		return -1;
	if (!chosen)
		link_latest(parent, name);
	*ret = d;
	return 0;
}
