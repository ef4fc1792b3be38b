/* Faults that cannot be begun, told before anything is started. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/validate.h"

/* "blue-1" to as many as there are of a color. */
static bool is_agent(const struct scenario *sc, const char *name)
{
	const char *dash = strchr(name, '-');
	char again[64];
	int number = dash ? atoi(dash + 1) : 0;

	snprintf(again, sizeof again, "%s-%d", strncmp(name, "blue", 4) ? "green" : "blue", number);
	return number >= 1 && number <= sc->stack.instances && !strcmp(name, again);
}

static bool has_step(const struct scenario *sc, enum phase phase)
{
	for (size_t i = 0; i < sc->step_count; i++)
		if (sc->steps[i].phase == phase)
			return true;
	return phase == PHASE_BEFORE;
}

static int check(const struct validation *v, size_t i)
{
	const struct fault_plan *f = &v->sc->faults[i];
	const char *word = fault_kind_name(f->kind);
	char path[64];

	snprintf(path, sizeof path, "faults.%zu.%s", i, word);
	if (v->sc->stack.kind != STACK_LOCAL)
		return validate_error(v, path, "%s: only the local stack is broken on purpose",
				      word);
	if (f->lever && !v->sc->state.tap)
		return validate_error(v, path, "%s: the Redis tap is off", word);
	snprintf(path, sizeof path, "faults.%zu.%s.instance", i, word);
	if (f->instance && !is_agent(v->sc, f->instance))
		return validate_error(
			v, path, "%s: no agent is called \"%.40s\"; they are blue-1 to green-%d",
			word, f->instance, v->sc->stack.instances);
	snprintf(path, sizeof path, "faults.%zu.%s.at", i, word);
	if (!has_step(v->sc, f->at))
		return validate_error(v, path, "%s: the cutover has no step %s", word,
				      phase_name(f->at));
	return 0;
}

int validate_faults(const struct validation *v)
{
	for (size_t i = 0; i < v->sc->fault_count; i++)
		if (check(v, i) < 0)
			return -1;
	return 0;
}
