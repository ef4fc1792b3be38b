#include "command/core/heartbeat.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

static uint32_t resident_kib(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long total, resident = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%lu %lu", &total, &resident) != 2)
		resident = 0;
	fclose(f);
	return (uint32_t)(resident * (unsigned long)sysconf(_SC_PAGESIZE) / 1024);
}

static uint16_t descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	unsigned count = 0;

	if (!dir)
		return 0;
	while ((entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	closedir(dir);
	count--; /* the directory's own */
	return count > UINT16_MAX ? UINT16_MAX : (uint16_t)count;
}

struct event heartbeat(enum lane_role role, uint32_t index, int64_t lag_ns)
{
	struct event e = event_make(EVENT_HEARTBEAT, clock_now_ns());
	int64_t lag_us = lag_ns > 0 ? lag_ns / NS_PER_US : 0;

	e.aux = lag_us > UINT32_MAX ? UINT32_MAX : (uint32_t)lag_us;
	e.ver = (uint32_t)(clock_cpu_ns() / NS_PER_MS);
	e.epoch = resident_kib();
	e.n = descriptors();
	e.code = (uint16_t)role;
	e.leg = (uint16_t)index;
	return e;
}
