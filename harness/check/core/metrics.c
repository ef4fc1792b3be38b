#include "check/core/metrics.h"

#include <stdlib.h>

#include "base/buf.h"
#include "check/core/outcome.h"
#include "check/core/world.h"

const char *metric_name(unsigned m)
{
	static const char *const names[METRIC_COUNT] = {
		[METRIC_TURN_RESPONSE] = "turn_response", [METRIC_TURN_SERVICE] = "turn_service",
		[METRIC_REDIS_TURN] = "redis_turn",	  [METRIC_REDIS_SERVICE] = "redis_service",
		[METRIC_REDIS_COMMAND] = "redis_command", [METRIC_REDIS_AGENT] = "redis_agent",
		[METRIC_REDIS_CONTROL] = "redis_control", [METRIC_DIAL] = "dial",
		[METRIC_RESUME_GAP] = "resume_gap",
	};

	return m < METRIC_COUNT ? names[m] : "?";
}

void metrics_free(struct metrics *m)
{
	for (unsigned i = 0; i < METRIC_COUNT; i++)
		for (unsigned phase = 0; phase < PHASE_COUNT; phase++)
			for (unsigned color = 0; color < COLOR_COUNT; color++)
				free(m->rows[i][phase][color]);
}

static inline struct metric_row *row_of(struct world *w, enum metric metric, int64_t began_ns,
				 uint8_t color)
{
	struct metric_row **row =
		&w->metrics.rows[metric][phases_at(&w->phases, began_ns)][color % COLOR_COUNT];

	if (!*row)
		*row = xcalloc(1, sizeof(**row));
	return *row;
}

/* Something that began then took so long; `answered` false: it was given up. */
static inline void sample(struct world *w, enum metric metric, int64_t began_ns, uint8_t color,
		   int64_t took_ns, bool answered)
{
	struct metric_row *row = row_of(w, metric, began_ns, color);

	if (answered)
		histogram_add(&row->answered, took_ns);
	else
		histogram_add_censored(&row->unanswered, took_ns);
}

/* Something that began then and had no end when its call had. */
static void open_ended(struct world *w, enum metric metric, int64_t began_ns, uint8_t color,
		       int64_t age_ns, bool by_us)
{
	struct metric_row *row = row_of(w, metric, began_ns, color);

	histogram_add_censored(by_us ? &row->cut_short : &row->unanswered, age_ns);
}

static struct metric_turn *turn_of(struct world_call *c, unsigned turn)
{
	return &c->metric.turns[turn % METRIC_TURNS];
}

static void lag(struct world *w, const struct event *e, int64_t free_ns)
{
	int64_t since_ns = e->due_ns > free_ns ? e->due_ns : free_ns;

	if (e->due_ns >= 0)
		histogram_add(&w->metrics.lag, e->t_ns - since_ns);
}

/* ---- Redis ---- */

static void redis_sample(struct world *w, const struct metric_redis *r, int64_t began_ns,
			 uint8_t color)
{
	sample(w, METRIC_REDIS_TURN, began_ns, color, r->took_ns, !r->censored);
	sample(w, METRIC_REDIS_SERVICE, began_ns, color, r->served_ns, !r->censored);
}

/* The turn is over without a reply of its own; what Redis answered of it was not all of it, and is
 * no sample. */
static void redis_given_up(struct world *w, struct world_call *c, int64_t due_ns)
{
	if (c->metric.redis.censored)
		redis_sample(w, &c->metric.redis, due_ns, c->color);
	c->metric.redis = (struct metric_redis){ 0 };
}

static int64_t served_ns(struct metrics *m, const struct event *e)
{
	struct metric_line *line = &m->lines[e->conn % METRIC_LINES];
	int64_t from_ns = e->due_ns < 0 ? e->t_ns : e->due_ns;

	if (line->conn == e->conn && line->busy_until_ns > from_ns)
		from_ns = line->busy_until_ns;
	*line = (struct metric_line){ .conn = e->conn, .busy_until_ns = e->t_ns };
	return e->t_ns > from_ns ? e->t_ns - from_ns : 0;
}

static void command(struct world *w, struct world_call *c, const struct event *e, bool answered)
{
	int64_t took_ns = e->due_ns < 0 ? 0 : e->t_ns - e->due_ns;
	struct metric_redis one = { .took_ns = took_ns,
				    .served_ns = served_ns(&w->metrics, e),
				    .censored = !answered };

	if (e->flags & CMD_PROBE || !(e->flags & CMD_CALL_KEY))
		return;
	w->tap_commands++;
	w->tap_saw[e->instance] = true;
	sample(w, METRIC_REDIS_COMMAND, e->t_ns - took_ns, e->color, took_ns, answered);
	if (c && c->sent != c->acked) {
		c->metric.redis.took_ns += took_ns;
		c->metric.redis.served_ns += one.served_ns;
		c->metric.redis.commands++;
		c->metric.redis.censored |= !answered;
	} else if (!answered && (!c || c->acked)) {
		/* Its turn is over, perhaps its call: it counts beside them. Before the first turn
		 * there is none it could be of. */
		redis_sample(w, &one, e->t_ns - took_ns, e->color);
	}
}

void metrics_control(struct world *w, const struct event *e)
{
	int64_t took_ns = e->aux * NS_PER_US, *got_ns = &w->metrics.control_ns;
	bool answered = !(e->flags & CONTROL_UNANSWERED);

	if (e->code == VERB_GET) /* begins a pair */
		*got_ns = 0;
	*got_ns += took_ns;
	if (!answered || e->code != VERB_GET)
		sample(w, METRIC_REDIS_CONTROL, e->t_ns - *got_ns, COLOR_UNKNOWN, *got_ns,
		       answered);
}

/* ---- turns ---- */

static void turn_sent(struct world *w, struct world_call *c, const struct event *e)
{
	if (e->flags & TURN_RESENT) {
		/* The answered commands of its first try are not this one's; its time still counts
		 * from the first send. */
		if (!c->metric.redis.censored)
			c->metric.redis = (struct metric_redis){ 0 };
		return;
	}
	*turn_of(c, e->turn) = (struct metric_turn){ .due_ns = e->due_ns < 0 ? e->t_ns : e->due_ns,
						     .sent_ns = e->t_ns };
	lag(w, e, c->free_ns);
}

static void turn_answered(struct world *w, struct world_call *c, const struct event *e,
			  unsigned turn, int64_t due_ns)
{
	const struct metric_turn *times = turn_of(c, turn);

	w->metrics.turns_answered++;
	sample(w, METRIC_TURN_RESPONSE, due_ns, e->color, e->t_ns - due_ns, true);
	if (c->sent - turn < METRIC_TURNS)
		sample(w, METRIC_TURN_SERVICE, due_ns, e->color, e->t_ns - times->sent_ns, true);
}

static void reply(struct world *w, struct world_call *c, const struct event *e)
{
	struct metric_redis *redis = &c->metric.redis;
	int64_t due_ns = e->due_ns < 0 ? turn_of(c, e->turn)->due_ns : e->due_ns;

	if (e->turn <= c->acked || e->turn > c->sent)
		return;
	turn_answered(w, c, e, e->turn, due_ns);
	if (redis->commands)
		redis_sample(w, redis, due_ns, e->color);
	*redis = (struct metric_redis){ 0 };
	if (e->aux)
		sample(w, METRIC_REDIS_AGENT, due_ns, e->color, e->aux * NS_PER_US, true);
}

static void resumed(struct world *w, struct world_call *c, const struct event *e)
{
	if (c->lost_ns)
		sample(w, METRIC_RESUME_GAP, c->lost_ns, e->color, e->t_ns - c->lost_ns, true);
	if (e->n > c->acked)
		redis_given_up(w, c, turn_of(c, c->acked + 1U)->due_ns);
	/* Turns that the state already holds are answered by it, now. */
	for (unsigned turn = c->acked + 1U; turn <= e->n && turn <= c->sent; turn++) {
		if (c->sent - turn < METRIC_TURNS)
			turn_answered(w, c, e, turn, turn_of(c, turn)->due_ns);
	}
}

static int64_t dialed_ns(const struct world_call *c, const struct event *e)
{
	return e->due_ns >= 0 ? e->due_ns : c && c->dial_ns ? c->dial_ns : e->t_ns;
}

void metrics_event(struct world *w, struct world_call *c, const struct event *e)
{
	switch (e->kind) {
	case EVENT_CMD_OK:
	case EVENT_CMD_ERR:
		command(w, c, e, true);
		return;
	case EVENT_CMD_INFO:
		command(w, c, e, false);
		return;
	case EVENT_DIAL_OK:
		sample(w, METRIC_DIAL, dialed_ns(c, e), e->color, e->t_ns - dialed_ns(c, e), true);
		return;
	case EVENT_DIAL_FAIL:
		sample(w, METRIC_DIAL, dialed_ns(c, e), e->color, e->t_ns - dialed_ns(c, e), false);
		return;
	default:
		break;
	}
	if (!c)
		return;
	switch (e->kind) {
	case EVENT_TURN_INV:
		turn_sent(w, c, e);
		break;
	case EVENT_REPLY_OK:
		reply(w, c, e);
		break;
	case EVENT_RESUME_OK:
		resumed(w, c, e);
		break;
	case EVENT_DIAL_INV:
		lag(w, e, 0);
		break;
	default:
		break;
	}
}

void metrics_call_done(struct world *w, struct world_call *c)
{
	int64_t until_ns = c->hangup_ns ? c->hangup_ns : c->end_ns ? c->end_ns : w->last_ns;
	unsigned unanswered = c->sent > c->acked ? (unsigned)(c->sent - c->acked) : 0U;
	unsigned outcome = outcome_of(w, c);
	bool by_us = outcome == CALL_COMPLETED || outcome == CALL_ABANDONED ||
		     outcome == OUTCOME_LIVE || outcome_is_ours(w, c, outcome);

	if (unanswered)
		redis_given_up(w, c, turn_of(c, c->acked + 1U)->due_ns);
	for (unsigned i = 0; i < unanswered; i++) {
		unsigned turn = c->acked + 1U + i;
		unsigned known = c->sent - turn < METRIC_TURNS ? turn : c->sent - METRIC_TURNS + 1U;
		int64_t due_ns = turn_of(c, known)->due_ns;
		w->metrics.turns_unanswered++;
		open_ended(w, METRIC_TURN_RESPONSE, due_ns, c->color, until_ns - due_ns, by_us);
		open_ended(w, METRIC_TURN_SERVICE, due_ns, c->color,
			   until_ns - turn_of(c, known)->sent_ns, by_us);
	}
	if (c->lost_ns && !c->hangup_ns && c->profile == PROFILE_RESUMABLE)
		open_ended(w, METRIC_RESUME_GAP, c->lost_ns, c->color, until_ns - c->lost_ns,
			   by_us);
}

size_t metrics_rows(const struct metrics *m, struct latency_row **ret)
{
	struct latency_row *rows = NULL;
	size_t count = 0;

	for (unsigned i = 0; i < METRIC_COUNT; i++)
		for (unsigned phase = 0; phase < PHASE_COUNT; phase++)
			for (unsigned color = 0; color < COLOR_COUNT; color++) {
				const struct metric_row *row = m->rows[i][phase][color];
				if (!row)
					continue;
				rows = xrealloc(rows, (count + 1) * sizeof(*rows));
				rows[count] = (struct latency_row){ .metric = i,
								    .phase = phase,
								    .color = color,
								    .histogram = row->answered };
				histogram_merge(&rows[count].histogram, &row->unanswered);
				histogram_merge(&rows[count++].histogram, &row->cut_short);
			}
	*ret = rows;
	return count;
}
