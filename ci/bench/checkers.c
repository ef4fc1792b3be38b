/*
 * What judging costs: reads a recorded run twice, once only reading, once judging, and prints the
 * CPU time of each per event, how many calls were live when the weights were moved, and how much
 * memory all of it took at its most, as JSON.
 * The best of three: what is wanted is the cost of the code, not of its neighbours.
 *   checkers RUN_DIR
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/buf.h"
#include "check/judge.h"
#include "record/history.h"
#include "scenario/scenario.h"

enum { ROUNDS = 3 };

struct crowd {
	uint64_t events;
	int64_t live, live_at_shift; /* -1 until the shift is asked for */
};

static int64_t cpu_ns(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return ((u.ru_utime.tv_sec + u.ru_stime.tv_sec) * (int64_t)1000000 + u.ru_utime.tv_usec +
		u.ru_stime.tv_usec) *
	       1000;
}

/* Not getrusage's: that begins with what the parent had. */
static int64_t peak_bytes(void)
{
	FILE *in = fopen("/proc/self/status", "re");
	char line[256];
	long kib = 0;

	while (in && fgets(line, sizeof(line), in))
		if (sscanf(line, "VmHWM: %ld", &kib) == 1)
			break;
	if (in)
		fclose(in);
	return kib * (int64_t)1024;
}

static void count(struct history *history, struct crowd *crowd)
{
	const struct event *e;

	*crowd = (struct crowd){ .live_at_shift = -1 };
	for (; history_next(history, &e); crowd->events++) {
		if (e->kind == EVENT_START_OK)
			crowd->live++;
		else if (e->kind == EVENT_CALL_END && e->code != CALL_REFUSED)
			crowd->live--;
		else if (e->kind == EVENT_WEIGHT_INV && crowd->live_at_shift < 0)
			crowd->live_at_shift = crowd->live;
	}
}

static int measure(const char *dir, struct err *err)
{
	struct buf path = buf_init(4096), warnings = buf_init(1 << 16);
	int64_t reading_ns = INT64_MAX, judging_ns = INT64_MAX;
	struct scenario *scenario = NULL;
	struct history *history = NULL;
	struct crowd crowd = { 0 };
	int result = -1;

	buf_printf(&path, "%s/scenario.yaml", dir);
	struct scenario_source source = { .path = buf_text(&path) };
	if (scenario_load(&source, &scenario, &warnings, err) < 0 ||
	    history_open(dir, &history, err) < 0)
		goto out;
	for (int i = 0; i < ROUNDS; i++) {
		struct judgement *judgement;
		int64_t begin_ns = cpu_ns(), middle_ns;

		count(history, &crowd);
		middle_ns = cpu_ns();
		if (history_rewind(history, err) < 0 ||
		    judge(scenario, history, &judgement, err) < 0)
			goto out;
		judging_ns = cpu_ns() - middle_ns < judging_ns ? cpu_ns() - middle_ns : judging_ns;
		reading_ns = middle_ns - begin_ns < reading_ns ? middle_ns - begin_ns : reading_ns;
		judgement_free(judgement);
		if (history_rewind(history, err) < 0)
			goto out;
	}
	printf("{\"events\": %" PRIu64 ", \"live_at_shift\": %" PRId64
	       ", \"reading_ns\": %.1f, \"judging_ns\": %.1f, \"peak_bytes\": %" PRId64 "}\n",
	       crowd.events, crowd.live_at_shift,
	       (double)reading_ns / (double)(crowd.events ? crowd.events : 1),
	       (double)(judging_ns - reading_ns) / (double)(crowd.events ? crowd.events : 1),
	       peak_bytes());
	result = 0;
out:
	history_free(history);
	scenario_free(scenario);
	buf_free(&warnings);
	buf_free(&path);
	return result;
}

int main(int argc, char **argv)
{
	struct err err = { 0 };

	if (argc != 2) {
		fprintf(stderr, "usage: checkers RUN_DIR\n");
		return 104;
	}
	if (measure(argv[1], &err) < 0) {
		fprintf(stderr, "checkers: %s\n", err.text);
		return 97;
	}
	return 0;
}
