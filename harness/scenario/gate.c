#include "scenario/gate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/duration.h"
#include "scenario/place.h"

enum { WORD_BYTES = 64, HINT_BYTES = 160 };

struct metric_word {
	const char *name;
	bool duration;
};

static const struct metric_word metrics[] = {
	{ "turn_response", true },  { "turn_service", true }, { "redis_turn", true },
	{ "redis_service", true },  { "redis_command", true }, { "redis_agent", true },
	{ "redis_control", true },  { "dial", true },	      { "resume_gap", true },
	{ "dropped_calls", false }, { "refused", false },
};
enum { METRICS = sizeof metrics / sizeof *metrics };

static const char *const duration_stats = "avg min med max p(N)";
static const char *const number_stats = "count rate";

static const char *blanks(const char *p)
{
	return p + strspn(p, " \t");
}

/* Copies up to a stop character, without trailing blanks; NULL when empty or too long. */
static const char *word(const char *p, const char *stops, char out[WORD_BYTES])
{
	size_t length, kept;

	p = blanks(p);
	length = kept = strcspn(p, stops);
	while (kept > 0 && (p[kept - 1] == ' ' || p[kept - 1] == '\t'))
		kept--;
	if (!kept || kept >= WORD_BYTES)
		return NULL;
	memcpy(out, p, kept);
	out[kept] = '\0';
	return p + length;
}

static int metric_parse(const char *name, struct gate *gate, struct err *err)
{
	const char *names[METRICS];
	char hint[HINT_BYTES];

	for (size_t i = 0; i < METRICS; i++) {
		names[i] = metrics[i].name;
		if (!strcmp(name, metrics[i].name)) {
			gate->metric = xstrdup(name);
			gate->duration = metrics[i].duration;
			return 0;
		}
	}
	nearest_hint(name, names, METRICS, hint, sizeof hint);
	return err_set(err, ERR_INPUT, "unknown metric \"%s\"; %s", name, hint);
}

static int phase_filter(const char *value, struct gate *gate, struct err *err)
{
	const char *names[PHASE_COUNT + 1];
	char hint[HINT_BYTES];
	size_t count = 0;
	int phase = phase_parse(value);

	if (!strcmp(value, "cutover")) {
		gate->phase = GATE_PHASE_CUTOVER;
		return 0;
	}
	if (phase > PHASE_BEFORE && phase != PHASE_AFTER) {
		gate->phase = phase;
		return 0;
	}
	for (unsigned i = PHASE_STEADY; i < PHASE_COUNT; i++)
		if (i != PHASE_AFTER)
			names[count++] = phase_name(i);
	names[count++] = "cutover";
	nearest_hint(value, names, count, hint, sizeof hint);
	return err_set(err, ERR_INPUT, "unknown phase \"%s\"; %s", value, hint);
}

static int filter_parse(const char *name, const char *value, struct gate *gate, struct err *err)
{
	if (!strcmp(name, "phase")) {
		if (gate->phase != GATE_PHASE_ANY)
			return err_set(err, ERR_INPUT, "the filter \"phase\" is given twice");
		return phase_filter(value, gate, err);
	}
	if (!strcmp(name, "color")) {
		int color = color_parse(value);

		if (gate->color != COLOR_UNKNOWN)
			return err_set(err, ERR_INPUT, "the filter \"color\" is given twice");
		if (color != COLOR_BLUE && color != COLOR_GREEN)
			return err_set(err, ERR_INPUT, "unknown color \"%s\"; one of: blue, green",
				       value);
		gate->color = (enum color)color;
		return 0;
	}
	return err_set(err, ERR_INPUT, "unknown filter \"%s\"; one of: phase, color", name);
}

static int key_parse(const char *key, struct gate *gate, struct err *err)
{
	char name[WORD_BYTES], value[WORD_BYTES];
	const char *p = word(key, "{", name);

	if (!p)
		return err_set(err, ERR_INPUT, "\"%.60s\" does not begin with a metric", key);
	if (metric_parse(name, gate, err) < 0)
		return -1;
	if (!*p)
		return 0;
	do {
		p = word(p + 1, ":", name);
		if (p && *p == ':')
			p = word(p + 1, ",}", value);
		if (!p || !*p)
			return err_set(err, ERR_INPUT,
				       "\"%.60s\": a filter reads {phase:drain,color:green}", key);
		if (filter_parse(name, value, gate, err) < 0)
			return -1;
	} while (*p == ',');
	if (*blanks(p + 1))
		return err_set(err, ERR_INPUT, "\"%.60s\": nothing may follow the filter", key);
	return 0;
}

static int percentile_parse(const char *p, const char **ret_end, double *ret, struct err *err)
{
	char number[WORD_BYTES];
	const char *end = word(p, ")", number);

	if (!end || *end != ')' || number_parse(number, ret, NULL) < 0)
		return err_set(err, ERR_INPUT, "a percentile reads p(95)");
	if (*ret < 0 || *ret > 100)
		return err_set(err, ERR_INPUT, "the percentile %s is outside 0 to 100", number);
	*ret_end = end + 1;
	return 0;
}

static int stat_parse(const char *p, const char **ret_end, struct gate *gate, struct err *err)
{
	static const struct {
		const char *name;
		enum gate_stat stat;
		bool duration;
	} stats[] = {
		{ "count", GATE_COUNT, false }, { "rate", GATE_RATE, false },
		{ "avg", GATE_AVG, true },	{ "min", GATE_MIN, true },
		{ "med", GATE_MED, true },	{ "max", GATE_MAX, true },
		{ "p", GATE_P, true },
	};
	size_t length = strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"), i = 0;

	while (i < sizeof stats / sizeof *stats &&
	       (strlen(stats[i].name) != length || strncmp(stats[i].name, p, length)))
		i++;
	if (i == sizeof stats / sizeof *stats || stats[i].duration != gate->duration)
		return err_set(err, ERR_INPUT, "%s has no statistic \"%.*s\"; one of: %s",
			       gate->metric, (int)(length < WORD_BYTES ? length : WORD_BYTES), p,
			       gate->duration ? duration_stats : number_stats);
	gate->stat = stats[i].stat;
	p = blanks(p + length);
	*ret_end = p;
	if (gate->stat != GATE_P)
		return 0;
	if (*p != '(')
		return err_set(err, ERR_INPUT, "a percentile reads p(95)");
	return percentile_parse(p + 1, ret_end, &gate->percentile, err);
}

static int op_parse(const char *p, const char **ret_end, enum gate_op *ret, struct err *err)
{
	static const char *const ops[] = {
		/* two characters before one */
		[GATE_LT] = "<",  [GATE_LE] = "<=", [GATE_GT] = ">",
		[GATE_GE] = ">=", [GATE_EQ] = "==", [GATE_NE] = "!=",
	};
	size_t length = strspn(p, "<>=!");

	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
		if (strlen(ops[i]) == length && !strncmp(ops[i], p, length)) {
			*ret = (enum gate_op)i;
			*ret_end = p + length;
			return 0;
		}
	}
	return err_set(err, ERR_INPUT, "expected a comparison (< <= > >= == !=), found \"%.20s\"",
		       p);
}

static int limit_parse(const char *p, struct gate *gate, struct err *err)
{
	char text[WORD_BYTES];
	int64_t ns;

	if (!word(p, "", text))
		return err_set(err, ERR_INPUT, "the expression has no limit");
	if (gate->duration) {
		if (duration_parse(text, &ns, err) < 0)
			return -1;
		gate->limit = (double)ns;
		return 0;
	}
	if (gate->stat == GATE_RATE)
		return share_parse(text, &gate->limit, err);
	if (number_parse(text, &gate->limit, err) < 0)
		return -1;
	return gate->limit < 0 ? err_set(err, ERR_INPUT, "a count is never %s", text) : 0;
}

static int expression_parse(const char *expression, struct gate *gate, struct err *err)
{
	const char *p = blanks(expression);

	if (stat_parse(p, &p, gate, err) < 0 || op_parse(blanks(p), &p, &gate->op, err) < 0 ||
	    limit_parse(p, gate, err) < 0)
		return err_context(err, "\"%.60s\"", expression);
	return 0;
}

int gate_parse(const char *key, const char *expression, struct gate *ret, bool *ret_in_key,
	       struct err *err)
{
	struct gate gate = { .phase = GATE_PHASE_ANY, .color = COLOR_UNKNOWN };

	*ret_in_key = key_parse(key, &gate, err) < 0;
	if (*ret_in_key || expression_parse(expression, &gate, err) < 0) {
		gate_free(&gate);
		return -1;
	}
	gate.key = xstrdup(key);
	gate.expression = xstrdup(expression);
	*ret = gate;
	return 0;
}

void gate_free(struct gate *gate)
{
	free(gate->metric);
	free(gate->key);
	free(gate->expression);
}

double gate_samples_needed(const struct gate *gate)
{
	double q = gate->stat == GATE_MED ? 0.5 : gate->percentile / 100;

	if (gate->stat != GATE_P && gate->stat != GATE_MED)
		return gate->duration ? 1 : 0;
	if (q <= 0)
		return 1;
	return q >= 1 ? INFINITY : ceil(log(0.005) / log(q));
}
