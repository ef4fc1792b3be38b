/* Events that no run ever recorded, in any order and with any fields, as a lane may hold them: a
 * judgement comes of them that every report can tell, and nobody passes whose calls nobody
 * completed. Twelve bytes an event, so that small changes of the input are small changes of the
 * story. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "check/core/fold.h"
#include "check/core/story.h"
#include "ci/fuzz/fuzz.h"
#include "report/report.h"

enum { EVENT_BYTES = 12, EVENTS_MAX = 2000 };

/* What few scenarios declare, so that every check is asked. */
static void ask_all(struct story_scenario *s)
{
	s->scenario.timers.close_spread_ns = NS_PER_S;
	s->scenario.calls.profile[PROFILE_RESUMABLE].disturbances = 1;
	s->scenario.calls.profile[PROFILE_RESUMABLE].dead_air_ns = NS_PER_S;
	s->gate = (struct gate){ .metric = (char *)"redis_turn",
				 .phase = GATE_PHASE_CUTOVER,
				 .stat = GATE_P,
				 .percentile = 99,
				 .op = GATE_LT,
				 .limit = 2.0 * NS_PER_MS,
				 .duration = true,
				 .key = (char *)"redis_turn{phase:cutover}",
				 .expression = (char *)"p(99) < 2ms" };
	s->scenario.gates = &s->gate;
	s->scenario.gate_count = 1;
}

static size_t events_of(const uint8_t *data, size_t size, struct event *events)
{
	int64_t t_ns = STORY_START_NS;
	size_t count = 0;

	for (; size >= EVENT_BYTES && count < EVENTS_MAX;
	     data += EVENT_BYTES, size -= EVENT_BYTES) {
		uint8_t whose = data[1], x = data[11];

		/* One in 256 comes late, as one of a busy connection does. */
		t_ns += data[10] == 255 ? -(int64_t)data[9] * NS_PER_MS :
					  (data[9] + 256 * data[10]) * (NS_PER_MS / 10);
		events[count++] = (struct event){
			.t_ns = t_ns,
			.due_ns = whose & 8 ? -1 : t_ns - x * (NS_PER_MS / 10),
			.call = whose & 4 ? 0 : story_call(whose & 3),
			.digest = whose & 16 ? 0 : 1 + (x & 7),
			.ver = x & 15,
			.epoch = whose & 32 ? 100 : x >> 4,
			.conn = x & 3,
			.aux = whose & 64 ? UINT32_MAX : x,
			.turn = whose & 128 ? UINT16_MAX : data[5],
			.n = data[6],
			.code = data[7],
			.leg = data[8],
			.kind = data[0],
			.color = data[2],
			.instance = data[3],
			.flags = data[4],
		};
	}
	return count;
}

static void tell(const struct scenario *scenario, const struct judgement *j, const char *type)
{
	struct report_input input = {
		.scenario = scenario, .judgement = j, .run_dir = "run", .again = "crossfade run"
	};
	struct err err = { .kind = ERR_NONE };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int result;

	ASSERT(out);
	result = report_find(type)->write(&input, out, &err);
	ASSERT_EQ(result, 0);
	fclose(out);
	ASSERT(size > 0);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct event *events = xcalloc(EVENTS_MAX, sizeof *events);
	size_t count = events_of(data, size, events);
	struct judgement *j;
	struct story_scenario s;
	struct fold *fold;

	story_scenario(&s);
	ask_all(&s);
	fold = fold_new(&s.scenario, NULL);
	fold_events(fold, events, count);
	j = fold_finish(fold);
	fold_free(fold);
	ASSERT(judgement_exit_code(j) != EXIT_PASS || j->ledger.completed);
	tell(&s.scenario, j, "text");
	tell(&s.scenario, j, "json");
	tell(&s.scenario, j, "junit");
	judgement_free(j);
	free(events);
	return 0;
}
