/*
 * The first judge, for many small records at once: a process for each would cost more than the
 * judging. Reads NDJSON records from a file, each after a line "=== NAME", and prints for each one
 * line: NAME, and CHECK:VERDICT of every check, with the scenario of check/core/story.h.
 *   judge FILE [SECONDS]     with such a floor of the time to live
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "check/core/story.h"
#include "check/judge.h"
#include "record/history.h"

static const char mark[] = "=== ";

static int judge_one(const char *name, const char *ndjson, const struct scenario *scenario)
{
	struct history *history = NULL;
	struct judgement *j = NULL;
	struct err err = { 0 };

	if (history_open_text(name, ndjson, &history, &err) < 0 ||
	    judge(scenario, history, &j, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		history_free(history);
		return -1;
	}
	printf("%s", name);
	if (j->harness_error)
		printf(" harness:%s", "fail");
	for (size_t i = 0; i < j->finding_count; i++)
		printf(" %s:%s", j->findings[i].name, verdict_name(j->findings[i].verdict));
	printf("\n");
	judgement_free(j);
	history_free(history);
	return 0;
}

/* Cuts the text into its records, in place. */
static int judge_all(char *text, int64_t ttl_floor_ns)
{
	struct story_scenario story;
	char *name = strncmp(text, mark, strlen(mark)) == 0 ? text : NULL;

	story_scenario(&story);
	story.scenario.state.ttl_floor_ns = ttl_floor_ns;
	while (name) {
		char *body = strchr(name, '\n'), *next = body ? strstr(body, "\n=== ") : NULL;
		if (!body)
			return -1;
		*body++ = '\0';
		if (next)
			*++next = '\0';
		if (judge_one(name + strlen(mark), body, &story.scenario) < 0)
			return -1;
		if (next)
			*next = '=';
		name = next;
	}
	return 0;
}

int main(int argc, char **argv)
{
	FILE *file = argc == 2 || argc == 3 ? fopen(argv[1], "r") : NULL;
	char *text = NULL;
	size_t size = 0;
	int result = 1;

	if (file && getdelim(&text, &size, '\0', file) > 0)
		result = judge_all(text, argc == 3 ? atoi(argv[2]) * NS_PER_S : 0) < 0;
	else
		fprintf(stderr,
			"usage: judge FILE [SECONDS] (of records, each after a line \"=== NAME\")\n");
	if (file)
		fclose(file);
	free(text);
	return result;
}
