#include "command/core/preflight.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "driver/core/credentials.h"
#include "net/process.h"

/* Beyond the calls themselves: listeners, Redis connections, lanes, the loop. */
enum { DESCRIPTORS_SPARE = 200, PORTS_SPARE = 2000 };

static struct preflight finding(const char *name, bool ok)
{
	return (struct preflight){ .name = name, .ok = ok };
}

static bool on_path(const char *program, char *out, size_t size)
{
	const char *path = getenv("PATH");

	for (const char *at = path; at && *at;) {
		size_t length = strcspn(at, ":");

		snprintf(out, size, "%.*s/%s", (int)length, at, program);
		if (access(out, X_OK) == 0)
			return true;
		at += length + (at[length] == ':');
	}
	return false;
}

static struct preflight redis_server(void)
{
	char path[PATH_MAX];
	struct preflight f = finding("redis-server", on_path("redis-server", path, sizeof(path)));

	if (f.ok) {
		snprintf(f.found, sizeof(f.found), "%.150s", path);
	} else {
		snprintf(f.found, sizeof(f.found), "not in PATH");
		snprintf(
			f.fix, sizeof(f.fix),
			"install it (apt-get install redis-server); the local stack needs a real one");
	}
	return f;
}

static struct preflight local_stack(void)
{
	static const char *const programs[] = { "fixtures/alb/main", "fixtures/agent/main" };
	struct preflight f = finding("local stack", true);

	snprintf(f.found, sizeof(f.found), "the programs are built");
	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++) {
		char path[PATH_MAX];

		if (process_beside(programs[i], path, sizeof(path), NULL) == 0 &&
		    access(path, X_OK) == 0)
			continue;
		f.ok = false;
		snprintf(f.found, sizeof(f.found), "%s is missing beside the program", programs[i]);
		snprintf(f.fix, sizeof(f.fix), "build it: make");
	}
	return f;
}

/* A proxy holds two descriptors a call, and one process may have to hold all of them. */
static struct preflight descriptors(int calls)
{
	struct rlimit limit = { 0 };
	unsigned long long need = 2ull * (unsigned)calls + DESCRIPTORS_SPARE;

	getrlimit(RLIMIT_NOFILE, &limit);
	struct preflight f = finding("descriptors", limit.rlim_max >= need);
	snprintf(f.found, sizeof(f.found),
		 "%llu allowed a process (hard limit), %llu needed by a proxy of %d calls",
		 (unsigned long long)limit.rlim_max, need, calls);
	if (!f.ok)
		snprintf(
			f.fix, sizeof(f.fix),
			"raise the hard limit (ulimit -Hn %llu as root), or run at most %llu calls",
			need,
			limit.rlim_max > DESCRIPTORS_SPARE ?
				(unsigned long long)(limit.rlim_max - DESCRIPTORS_SPARE) / 2 :
				0);
	return f;
}

static struct preflight ports(int calls)
{
	FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	int low = 0, high = -1, need = calls + PORTS_SPARE;

	if (file) {
		if (fscanf(file, "%d %d", &low, &high) != 2)
			high = low - 1;
		fclose(file);
	}
	struct preflight f = finding("ephemeral ports", high - low + 1 >= need);
	snprintf(f.found, sizeof(f.found), "%d from one source address, %d needed for %d calls",
		 high - low + 1, need, calls);
	if (!f.ok)
		snprintf(f.fix, sizeof(f.fix),
			 "widen net.ipv4.ip_local_port_range (sysctl -w ...=\"1024 65535\"), "
			 "or spread over more source addresses with --local-ips");
	return f;
}

static struct preflight cores(void)
{
	long count = sysconf(_SC_NPROCESSORS_ONLN);
	struct preflight f = finding("cores", count >= 2);

	snprintf(f.found, sizeof(f.found), "%ld", count);
	if (!f.ok)
		snprintf(
			f.fix, sizeof(f.fix),
			"callers and stack share one core: keep runs small, lateness is inconclusive");
	return f;
}

/* pidfd_open is 5.3, close_range 5.9. */
static struct preflight kernel(void)
{
	struct utsname host = { 0 };
	int major = 0, minor = 0;

	uname(&host);
	bool read = sscanf(host.release, "%d.%d", &major, &minor) == 2;
	struct preflight f = finding("kernel", read && (major > 5 || (major == 5 && minor >= 9)));
	snprintf(f.found, sizeof(f.found), "%.60s %.60s, 5.9 needed", host.sysname, host.release);
	if (!f.ok)
		snprintf(f.fix, sizeof(f.fix),
			 "processes are held by pidfd and close_range: use a newer kernel");
	return f;
}

static struct preflight memory(int calls)
{
	/* Caller, balancer and agent side of a call together, measured with room to spare. */
	long long need = (calls * 64LL + 256 * 1024) / 1024, free_mb = 0;
	long long pages = sysconf(_SC_AVPHYS_PAGES), page = sysconf(_SC_PAGESIZE);
	FILE *file = fopen("/proc/meminfo", "re");
	char line[128];

	free_mb = pages * page / (1 << 20);
	while (file && fgets(line, sizeof(line), file)) {
		long long kib;

		if (sscanf(line, "MemAvailable: %lld kB", &kib) == 1)
			free_mb = kib / 1024;
	}
	if (file)
		fclose(file);
	struct preflight f = finding("memory", free_mb >= need);
	snprintf(f.found, sizeof(f.found), "%lld MB available, %lld MB needed for %d calls",
		 free_mb, need, calls);
	if (!f.ok)
		snprintf(f.fix, sizeof(f.fix), "free memory, or run fewer calls");
	return f;
}

static struct preflight credentials(void)
{
	struct preflight f = finding("AWS credentials", true);
	struct err err = { .kind = ERR_NONE };

	if (credentials_describe(f.found, sizeof(f.found), &err) < 0) {
		f.ok = false;
		snprintf(f.found, sizeof(f.found), "%.150s", err.text);
		snprintf(f.fix, sizeof(f.fix), "set both, or neither");
	}
	return f;
}

size_t preflight_machine(int calls, struct preflight ret[PREFLIGHT_MAX])
{
	size_t count = 0;

	ret[count++] = kernel();
	ret[count++] = cores();
	ret[count++] = memory(calls);
	ret[count++] = descriptors(calls);
	ret[count++] = ports(calls);
	ret[count++] = redis_server();
	ret[count++] = local_stack();
	ret[count++] = credentials();
	return count;
}
