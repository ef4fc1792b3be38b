/* cmocka wants these first */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/clock.h"
#include "check/core/writers.h"

/* One command: 'r'ead or 'w'rite of an instance, from..to in ms. digest 0: that of n turns. */
struct line {
	char kind;
	uint8_t instance;
	unsigned n;
	int from, to;
	unsigned version, epoch, digest;
};

static enum write_kind tell(struct writers *w, const struct line *l, struct write_seen *other)
{
	struct event e = event_make(EVENT_CMD_OK, l->to * NS_PER_MS);

	e.due_ns = l->from * NS_PER_MS;
	e.instance = l->instance;
	e.n = (uint16_t)l->n;
	e.digest = l->digest ? l->digest : l->n;
	e.ver = l->version;
	e.epoch = l->epoch;
	if (l->kind == 'r') {
		writers_read(w, &e);
		return WRITE_IN_ORDER;
	}
	return writers_accept(w, &e, other);
}

enum { A = 1, B, C, D };
/* A read; a write without versions, with version and epoch, with a digest of its own. */
#define R(who, n, from, to)                                                                        \
	{                                                                                          \
		'r', who, n, from, to, 0, 0, 0                                                     \
	}
#define W(who, n, from, to)                                                                        \
	{                                                                                          \
		'w', who, n, from, to, 0, 0, 0                                                     \
	}
#define V(who, n, from, to, version, epoch)                                                        \
	{                                                                                          \
		'w', who, n, from, to, version, epoch, 0                                           \
	}
#define X(who, n, from, to, digest)                                                                \
	{                                                                                          \
		'w', who, n, from, to, 0, 0, digest                                                \
	}

static void the_last_write_is_held_against_those_before_it(void **state)
{
	static const struct {
		const char *what;
		struct line lines[6];
		enum write_kind last;
	} rows[] = {
		{ "one after the other",
		  { R(A, 0, 1, 2), W(A, 1, 3, 4), R(B, 1, 5, 6), W(B, 2, 7, 8) },
		  WRITE_IN_ORDER },
		{ "both had read nothing",
		  { R(A, 0, 1, 2), R(B, 0, 3, 4), W(A, 1, 5, 6), W(B, 1, 7, 8) },
		  WRITE_FORK },
		{ "the same, in the other order",
		  { R(A, 0, 1, 2), R(B, 0, 3, 4), W(B, 1, 5, 6), W(A, 1, 7, 8) },
		  WRITE_FORK },
		{ "the same instance, twice",
		  { R(A, 0, 1, 2), R(A, 0, 3, 4), W(A, 1, 5, 6), W(A, 1, 7, 8) },
		  WRITE_IN_ORDER },
		{ "the second one's read was begun when the first write was done: no order",
		  { R(A, 0, 1, 2), W(A, 1, 5, 6), R(B, 0, 6, 7), W(B, 1, 8, 9) },
		  WRITE_FORK },
		{ "it began later and was shown nothing: the store forgot",
		  { R(A, 0, 1, 2), W(A, 1, 5, 6), R(B, 0, 7, 8), W(B, 1, 9, 10) },
		  WRITE_IN_ORDER },
		{ "the same, by versions",
		  { V(A, 1, 5, 6, 7, 1), R(B, 0, 7, 8), V(B, 1, 9, 10, 7, 2) },
		  WRITE_IN_ORDER },
		{ "what was read is written again",
		  { W(A, 1, 1, 2), R(B, 1, 3, 4), W(B, 1, 5, 6) },
		  WRITE_IN_ORDER },
		{ "what was read is written again, read while it was written",
		  { W(A, 1, 1, 3), R(B, 1, 2, 4), W(B, 1, 5, 6) },
		  WRITE_IN_ORDER },
		{ "reads unseen, the same content",
		  { W(A, 1, 1, 2), W(B, 1, 5, 6) },
		  WRITE_IN_ORDER },
		{ "reads unseen, another content",
		  { W(A, 1, 1, 2), X(B, 1, 5, 6, 99) },
		  WRITE_FORK },
		{ "a fork over a write between",
		  { R(A, 0, 1, 2), R(B, 0, 1, 2), W(B, 1, 3, 4), W(B, 2, 5, 6), W(A, 1, 7, 8) },
		  WRITE_FORK },
		{ "no turn yet: nothing was added",
		  { W(A, 0, 1, 2), X(B, 0, 3, 4, 99) },
		  WRITE_IN_ORDER },
		{ "one version, two instances",
		  { V(A, 1, 1, 2, 3, 1), V(B, 1, 3, 4, 3, 2) },
		  WRITE_FORK },
		{ "one version, two epochs of one instance",
		  { V(A, 1, 1, 2, 3, 1), V(A, 1, 3, 4, 3, 2) },
		  WRITE_FORK },
		{ "turns equal, versions apart",
		  { V(A, 1, 1, 2, 3, 1), V(B, 1, 3, 4, 4, 2) },
		  WRITE_IN_ORDER },
		{ "an epoch falls",
		  { V(A, 1, 1, 2, 3, 2), V(B, 2, 3, 4, 4, 1) },
		  WRITE_STALE_EPOCH },
		{ "an epoch falls, begun at the other's end: no order",
		  { V(A, 1, 1, 2, 3, 2), V(B, 2, 2, 4, 4, 1) },
		  WRITE_IN_ORDER },
		{ "an epoch of two instances",
		  { V(A, 1, 1, 2, 3, 2), V(B, 2, 3, 4, 4, 2) },
		  WRITE_SHARED_EPOCH },
		{ "a, b, a", { W(A, 1, 1, 2), W(B, 2, 3, 4), W(A, 3, 5, 6) }, WRITE_INTERLEAVED },
		{ "a, b, a at once: no order",
		  { W(A, 1, 1, 2), W(B, 2, 3, 5), W(A, 3, 5, 6) },
		  WRITE_IN_ORDER },
		{ "a, b, c", { W(A, 1, 1, 2), W(B, 2, 3, 4), W(C, 3, 5, 6) }, WRITE_IN_ORDER },
		{ "a, b, a with epochs that rise",
		  { V(A, 1, 1, 2, 1, 1), V(B, 2, 3, 4, 2, 2), V(A, 3, 5, 6, 3, 3) },
		  WRITE_IN_ORDER },
		{ "a fourth reader takes the place of the first",
		  { R(A, 0, 1, 2), R(B, 0, 1, 2), R(C, 0, 1, 2), R(D, 0, 1, 2), W(D, 1, 3, 4),
		    W(A, 1, 5, 6) },
		  WRITE_IN_ORDER },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		enum write_kind kind = WRITE_IN_ORDER;
		struct write_seen other;
		struct writers w = { 0 };

		for (size_t k = 0; k < 6 && rows[i].lines[k].kind; k++) {
			if (kind != WRITE_IN_ORDER)
				fail_msg("%s: line %zu is %d", rows[i].what, k, kind);
			kind = tell(&w, &rows[i].lines[k], &other);
		}
		if (kind != rows[i].last)
			fail_msg("%s: %d, not %d", rows[i].what, kind, rows[i].last);
	}
}

static void the_other_writer_of_a_fork_is_told(void **state)
{
	const struct line first = { 'w', A, 4, 1, 2, 9, 1, 0 }, late = { 'w', B, 4, 3, 4, 9, 2, 0 };
	struct write_seen other;
	struct writers w = { 0 };

	(void)state;
	assert_int_equal(tell(&w, &first, &other), WRITE_IN_ORDER);
	assert_int_equal(tell(&w, &late, &other), WRITE_FORK);
	assert_int_equal(other.instance, A);
	assert_int_equal(other.version, 9);
	assert_int_equal(other.done_ns, 2 * NS_PER_MS);
	assert_int_equal(w.epoch, 2);
	assert_int_equal(w.epoch_owner, B);
}

static void an_epoch_shown_to_the_caller_is_in_force(void **state)
{
	const struct line stale = { 'w', A, 4, 6, 7, 9, 1, 0 };
	struct write_seen other;
	struct writers w = { 0 };

	(void)state;
	writers_epoch(&w, 2, B, 5 * NS_PER_MS);
	writers_epoch(&w, 1, A, 6 * NS_PER_MS); /* lower: nothing new */
	assert_int_equal(w.epoch_ns, 5 * NS_PER_MS);
	assert_int_equal(tell(&w, &stale, &other), WRITE_STALE_EPOCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_write_is_held_against_those_before_it),
		cmocka_unit_test(the_other_writer_of_a_fork_is_told),
		cmocka_unit_test(an_epoch_shown_to_the_caller_is_in_force),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
