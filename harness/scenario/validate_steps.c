/* The order of the cutover's steps, walked once with what is known of each color. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "scenario/duration.h"
#include "scenario/validate.h"

struct world {
	bool weight[COLOR_COUNT]; /* takes new calls */
	bool gone[COLOR_COUNT];	  /* torn down */
	bool shifted;
	bool scripted; /* the operator's script had its turn */
};

static int step_error(const struct validation *v, size_t i, const char *key, const char *text)
{
	const struct step *s = &v->sc->steps[i];
	char path[64];

	snprintf(path, sizeof path, "cutover.%zu.%s.%s", i, phase_name(s->phase), key);
	return validate_error(v, path, "%s: %s", phase_name(s->phase), text);
}

static int check_shift(const struct validation *v, size_t i, struct world *w)
{
	const struct step *s = &v->sc->steps[i];

	if (s->blue == 0 && s->green == 0)
		return step_error(v, i, "blue", "with both weights 0 no call is served");
	if ((s->blue > 0 && w->gone[COLOR_BLUE]) || (s->green > 0 && w->gone[COLOR_GREEN]))
		return step_error(v, i, "blue", "a color that was torn down takes no calls");
	w->weight[COLOR_BLUE] = s->blue > 0;
	w->weight[COLOR_GREEN] = s->green > 0;
	w->shifted = true;
	return 0;
}

static int check_drain(const struct validation *v, size_t i, const struct world *w)
{
	const struct step *s = &v->sc->steps[i];
	int64_t need_ns = longest_stickiness_ns(v->sc) + NS_PER_S;
	char have[DURATION_TEXT_MAX], need[DURATION_TEXT_MAX], text[128];

	if (w->gone[s->color])
		return step_error(v, i, "color", "this color was torn down already");
	if (w->weight[s->color])
		return step_error(v, i, "color",
				  "this color still takes new calls; shift its weight to 0 first");
	if (s->begin == BEGIN_SIGTERM && v->sc->stack.kind == STACK_NONE)
		return step_error(v, i, "begin",
				  "with stack: none there is nobody to send SIGTERM to");
	duration_format(s->quiet_ns, have);
	if (s->quiet_ns < need_ns) {
		duration_format(need_ns, need);
		snprintf(text, sizeof text, "quiet %s is below stickiness + 1s = %s", have, need);
		return step_error(v, i, "quiet", text);
	}
	if (s->deadline_ns < s->quiet_ns) {
		snprintf(text, sizeof text,
			 "the deadline is shorter than quiet (%s): it could never be over", have);
		return step_error(v, i, "deadline", text);
	}
	return 0;
}

static int check_step(const struct validation *v, size_t i, struct world *w)
{
	const struct step *s = &v->sc->steps[i];

	switch (s->phase) {
	case PHASE_SHIFT:
		return check_shift(v, i, w);
	case PHASE_DRAIN:
		return check_drain(v, i, w);
	case PHASE_SMOKE:
		if (w->gone[s->color])
			return step_error(v, i, "color", "this color was torn down already");
		if (v->sc->stack.kind == STACK_NONE &&
		    !(s->color == COLOR_BLUE ? v->sc->target.direct_blue :
					       v->sc->target.direct_green))
			return step_error(
				v, i, "color",
				"with stack: none this needs the color's URL in target.direct");
		return 0;
	case PHASE_TEARDOWN:
		if (w->gone[s->color])
			return step_error(v, i, "color", "this color was torn down already");
		if (!w->shifted || w->weight[s->color])
			return step_error(
				v, i, "color",
				"this color still takes new calls; shift its weight to 0 first");
		w->gone[s->color] = true;
		return 0;
	case PHASE_ROLLBACK:
		if (w->gone[COLOR_BLUE])
			return step_error(
				v, i, "",
				"blue was torn down already: there is nothing to go back to");
		w->weight[COLOR_BLUE] = true;
		w->weight[COLOR_GREEN] = false;
		return 0;
	case PHASE_SCRIPT:
		if (!v->sc->balancer.command_count)
			return step_error(v, i, "", "this needs a script: balancer.command");
		if (strcmp(v->sc->balancer.driver, "exec") != 0)
			return step_error(v, i, "", "this needs balancer.driver: exec");
		w->shifted = true;
		w->scripted = true;
		return 0;
	case PHASE_BAKE:
		if (!w->shifted)
			return step_error(v, i, "", "there is nothing to watch before a shift");
		return 0;
	case PHASE_STEADY:
	case PHASE_BUFFER:
	case PHASE_BEFORE:
	case PHASE_AFTER:
	case PHASE_COUNT:
		break;
	}
	return 0;
}

int validate_steps(const struct validation *v)
{
	struct world w = { .weight = { [COLOR_BLUE] = true } };

	for (size_t i = 0; i < v->sc->step_count; i++)
		if (check_step(v, i, &w) < 0)
			return -1;
	if (!strcmp(v->sc->balancer.driver, "exec") && !w.scripted)
		return validate_error(
			v, "balancer.driver",
			"exec runs a script: it needs balancer.command and a step script");
	return 0;
}
