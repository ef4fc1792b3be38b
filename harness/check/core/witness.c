#include "check/core/witness.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

struct witness witness_of_call(const struct world *w, const struct world_call *c, int64_t t_ns)
{
	return (struct witness){
		.call = c->id,
		.t_ns = t_ns,
		.phase = phases_at(&w->phases, t_ns),
		.color = c->color,
		.instance = c->instance,
		.leg = c->leg,
	};
}

struct witness witness_of_moment(const struct world *w, int64_t t_ns)
{
	return (struct witness){ .t_ns = t_ns, .phase = phases_at(&w->phases, t_ns) };
}

void witness_say(struct witness *witness, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(witness->text, sizeof(witness->text), fmt, ap);
	va_end(ap);
}

/* Commas into the counts of a sentence: words that are digits only, maybe after "(". */
static void copy_grouped(struct buf *out, const char *text)
{
	while (*text) {
		size_t word = strcspn(text, " ;,)"), open = *text == '(',
		       digits = strspn(text + open, "0123456789");

		for (size_t i = 0; i < word; i++) {
			size_t left = open + digits - i;

			if (open + digits == word && i > open && left % 3 == 0)
				buf_printf(out, ",");
			buf_printf(out, "%c", text[i]);
		}
		text += word;
		if (*text)
			buf_printf(out, "%c", *text++);
	}
}

void finding_say(struct finding *f, const char *fmt, ...)
{
	char text[FINDING_TEXT_MAX];
	struct buf grouped = buf_init(sizeof(f->summary) - 1);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	copy_grouped(&grouped, text);
	snprintf(f->summary, sizeof(f->summary), "%s", buf_text(&grouped));
	buf_free(&grouped);
}

bool phase_is_stuck_drain(const struct world *w, const struct event *e)
{
	const struct phase_result *phase = phases_current(&w->phases);
	const struct step *step = e->n < w->scenario->step_count ? &w->scenario->steps[e->n] : NULL;
	int64_t late_ns;

	if (e->code != PHASE_DRAIN || !step || !phase)
		return false;
	/* A second of room: the deadline counts from inside the step, its marks are around it. */
	late_ns = e->t_ns - phase->start_ns - step->deadline_ns;
	return e->flags == PHASE_END_FAILED ? late_ns >= -NS_PER_S :
					      e->flags == PHASE_END_OK && late_ns > NS_PER_S;
}

int64_t known_until_ns(const struct world *w, enum lane_role role)
{
	const struct lane_status *lanes = NULL;
	size_t count = w->names ? history_lanes(w->names, &lanes) : 0;
	bool seen = !w->names || !history_header(w->names);
	int64_t until_ns = INT64_MAX;

	for (size_t i = 0; i < count; i++) {
		seen |= lanes[i].role == role;
		if (!lanes[i].whole && lanes[i].role == role && lanes[i].last_ns < until_ns)
			until_ns = lanes[i].last_ns;
	}
	return seen ? until_ns : INT64_MIN;
}

void finding_trust(struct finding *f, const struct world *w, enum lane_role role)
{
	int64_t until_ns = known_until_ns(w, role);
	unsigned long long taken_back = f->violations;

	for (size_t i = 0; i < f->witness_count; i++) {
		if (f->witnesses[i].t_ns <= until_ns)
			return;
	}
	if (!taken_back)
		return;
	f->violations = f->witness_count = 0;
	memset(f->anomalies, 0, sizeof(f->anomalies));
	verdict_doubt(f, REASON_SOURCE_LOST,
		      "what looks like %llu violations came after the last word of a %s lane",
		      taken_back, lane_role_name(role));
}

static bool is_late(const struct world *w, uint64_t call)
{
	for (unsigned i = 0; i < w->late_call_count; i++) {
		if (call && w->late_calls[i] == call)
			return true;
	}
	return false;
}

void finding_pardon(struct finding *f, const struct world *w)
{
	size_t kept = 0, count = f->witness_count;

	for (size_t i = 0; w->late_call_count && i < count; i++) {
		if (!is_late(w, f->witnesses[i].call)) {
			f->witnesses[kept++] = f->witnesses[i];
			continue;
		}
		f->violations--;
		f->anomalies[f->witnesses[i].anomaly]--;
		f->witness_count--;
	}
	if (f->witness_count < count)
		verdict_doubt(
			f, REASON_SOURCE_LOST,
			"what looks like %zu violations is of calls whose events came out of order",
			count - f->witness_count);
}

void finding_colors(struct finding *f, const struct world *w)
{
	if (w->legs_without_color)
		verdict_doubt(f, REASON_NO_COLOR, "%llu legs did not say their color%s",
			      (unsigned long long)w->legs_without_color,
			      w->legs_of_two ? ", or named two places" : "");
}
