/*
 * What our callers cost: the crowd of a worker, as `run` starts it, with its lane on disk, against
 * the bare echo peer. Arguments, measure and output are those of epoll_client, its floor; a turn's
 * frame is the dialect's (about 60 bytes), the reply has 100 bytes for both.
 *   crowd_client PORT CONNECTIONS EVERY_MS SECONDS
 * Run from the root of the checkout: it reads ci/bench/crowd.yaml.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "net/loop.h"
#include "net/ws.h"
#include "record/lane.h"
#include "scenario/scenario.h"
#include "sim/crowd.h"
#include "wire/wire.h"

enum { DIALS_A_SECOND = 1000 };
static const int64_t warm_up_ns = 2 * NS_PER_S, ready_within_ns = 120 * NS_PER_S,
		     tick_every_ns = 100 * NS_PER_MS;

struct bench {
	struct loop *loop;
	struct loop_timer *tick;
	struct lane *lane;
	struct crowd *crowd;
	uint32_t connections;
	int64_t begin_ns, warm_ns, from_ns, for_ns; /* from_ns: measuring since; 0 not yet */
	int64_t from_cpu_us;
	uint64_t from_turns;
	long idle_bytes;
	bool failed;
};

static int64_t cpu_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * (int64_t)1000000 + u.ru_utime.tv_usec +
	       u.ru_stime.tv_usec;
}

static long rss_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	long size = 0, pages = 0;

	if (!file || fscanf(file, "%ld %ld", &size, &pages) != 2)
		pages = 0;
	if (file)
		fclose(file);
	return pages * sysconf(_SC_PAGESIZE);
}

static void say(const struct bench *b, const struct crowd_counts *counts)
{
	uint64_t turns = counts->turns - b->from_turns;

	printf("{\"connections\": %" PRIu32 ", \"round_trips\": %" PRIu64
	       ", \"cpu_us\": %.3f, \"bytes_per_connection\": %ld}\n",
	       counts->live, turns, turns ? (double)(cpu_us() - b->from_cpu_us) / (double)turns : 0,
	       (rss_bytes() - b->idle_bytes) / b->connections);
}

/* All calls answered, then the warm-up, then the measured stretch. */
static void on_tick(void *user)
{
	struct bench *b = user;
	const struct crowd_counts *counts = crowd_counts(b->crowd);
	int64_t now_ns = clock_now_ns();

	lane_tick(b->lane, now_ns);
	if (!b->warm_ns && counts->live_by_color[COLOR_BLUE] >= b->connections)
		b->warm_ns = now_ns + warm_up_ns;
	if (b->warm_ns && !b->from_ns && now_ns >= b->warm_ns) {
		b->from_ns = now_ns;
		b->from_cpu_us = cpu_us();
		b->from_turns = counts->turns;
	}
	b->failed = !b->warm_ns && now_ns > b->begin_ns + ready_within_ns;
	if (b->failed || (b->from_ns && now_ns >= b->from_ns + b->for_ns))
		loop_stop(b->loop);
	else
		loop_timer_at(b->tick, now_ns + tick_every_ns);
}

static int load(char **words, struct scenario **ret, struct err *err)
{
	char every[32], ramp[32];
	struct variable variables[] = {
		{ .name = "PORT", .value = words[1] },
		{ .name = "CONNECTIONS", .value = words[2] },
		{ .name = "EVERY", .value = every },
		{ .name = "RAMP", .value = ramp },
	};
	struct scenario_source source = { .path = "ci/bench/crowd.yaml",
					  .variables = variables,
					  .variable_count =
						  sizeof(variables) / sizeof(*variables) };

	snprintf(every, sizeof(every), "%sms", words[3]);
	snprintf(ramp, sizeof(ramp), "%ds", 1 + atoi(words[2]) / DIALS_A_SECOND);
	return scenario_load(&source, ret, NULL, err);
}

static int measure(char **words, const char *dir, struct err *err)
{
	struct bench b = { .connections = (uint32_t)atoi(words[2]),
			   .for_ns = atoi(words[4]) * NS_PER_S };
	struct ws_settings ws_settings = { .tls_verify = false };
	struct lane_identity identity = { .run = "bench", .role = ROLE_WORKER };
	struct crowd_settings settings = { .lane = NULL };
	struct scenario *scenario = NULL;
	struct ws_context *ws = NULL;
	int result = -1;

	b.idle_bytes = rss_bytes();
	b.loop = loop_new();
	if (load(words, &scenario, err) < 0 || lane_open(dir, &identity, &b.lane, err) < 0 ||
	    ws_context_new(b.loop, &ws_settings, &ws, err) < 0)
		goto out;
	settings = (struct crowd_settings){ .scenario = scenario,
					    .loop = b.loop,
					    .lane = b.lane,
					    .ws = ws,
					    .wire = wire_find("plain"),
					    .run6 = "be0c41",
					    .url = scenario->target.url,
					    .workers = 1 };
	if (crowd_new(&settings, &b.crowd, err) < 0)
		goto out;
	b.begin_ns = clock_now_ns();
	crowd_start(b.crowd, b.begin_ns);
	b.tick = loop_timer_new(b.loop, on_tick, &b);
	loop_timer_at(b.tick, b.begin_ns);
	loop_run(b.loop);
	if (b.failed) {
		err_set(err, ERR_HARNESS, "%" PRIu32 " of %" PRIu32 " calls are live after %d s",
			crowd_counts(b.crowd)->live_by_color[COLOR_BLUE], b.connections,
			(int)(ready_within_ns / NS_PER_S));
	} else {
		say(&b, crowd_counts(b.crowd));
		result = 0;
	}
out:
	ws_context_free(ws);
	crowd_free(b.crowd);
	lane_close(b.lane, NULL);
	loop_timer_free(b.tick);
	loop_free(b.loop);
	scenario_free(scenario);
	return result;
}

int main(int argc, char **argv)
{
	char dir[] = "/tmp/crossfade-bench-XXXXXX", lane[sizeof(dir) + 32];
	struct rlimit limit;
	struct err err = { 0 };
	int result;

	if (argc != 5) {
		fprintf(stderr, "usage: crowd_client PORT CONNECTIONS EVERY_MS SECONDS\n");
		return 104;
	}
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (!mkdtemp(dir)) {
		perror(dir);
		return 97;
	}
	result = measure(argv, dir, &err);
	if (result < 0)
		fprintf(stderr, "crowd_client: %s\n", err.text);
	snprintf(lane, sizeof(lane), "%s/worker-0.lane", dir);
	unlink(lane);
	rmdir(dir);
	return result < 0 ? 97 : 0;
}
