#include "command/core/expect.h"

#include <string.h>

/* Is this failure of this check (anomaly NONE: the bare failure) covered by the word? */
static bool covers(const char *word, const char *check, enum anomaly anomaly)
{
	const char *colon = strchr(word, ':');
	size_t length = strlen(check);

	if (!colon)
		return !strcmp(word, check) ||
		       (anomaly != ANOMALY_NONE && !strcmp(word, anomaly_name(anomaly)));
	if ((size_t)(colon - word) != length || strncmp(word, check, length))
		return false;
	return anomaly != ANOMALY_NONE && !strcmp(colon + 1, anomaly_name(anomaly));
}

static bool covered(const struct expectation *e, const char *check, enum anomaly anomaly)
{
	for (size_t i = 0; i < e->required_count; i++)
		if (covers(e->required[i], check, anomaly))
			return true;
	for (size_t i = 0; i < e->allowed_count; i++)
		if (covers(e->allowed[i], check, anomaly))
			return true;
	return false;
}

static bool found(const char *word, const struct judgement *j)
{
	for (size_t i = 0; i < j->finding_count; i++) {
		const struct finding *f = &j->findings[i];

		if (f->verdict != VERDICT_FAIL)
			continue;
		if (covers(word, f->name, ANOMALY_NONE))
			return true;
		for (unsigned a = ANOMALY_NONE + 1; a < ANOMALY_COUNT; a++)
			if (f->anomalies[a] && covers(word, f->name, (enum anomaly)a))
				return true;
	}
	return false;
}

static void deviation(struct buf *told, bool *ok, const char *what, const char *name,
		      const char *more)
{
	buf_printf(told, "%s%s %s%s%s", *ok ? "; but " : ", ", what, name, *more ? ":" : "", more);
	*ok = false;
}

/* What failed, in words; and whether it may. */
static void weigh_finding(const struct expectation *e, const struct finding *f, struct buf *beyond,
			  bool *ok, struct buf *told)
{
	bool named = false;

	for (unsigned a = ANOMALY_NONE + 1; a < ANOMALY_COUNT; a++) {
		if (!f->anomalies[a] || a == ANOMALY_INFO_SURFACED) /* legal */
			continue;
		named = true;
		buf_printf(told, "%s%s:%s", told->len ? ", " : "", f->name, anomaly_name(a));
		if (!covered(e, f->name, (enum anomaly)a))
			deviation(beyond, ok, "unexpected", f->name, anomaly_name(a));
	}
	if (!named) {
		buf_printf(told, "%s%s", told->len ? ", " : "", f->name);
		if (!covered(e, f->name, ANOMALY_NONE))
			deviation(beyond, ok, "unexpected", f->name, "");
	}
}

bool expect_judge(const struct expectation *e, const struct judgement *j, int exit_code,
		  struct buf *told)
{
	struct buf beyond = buf_init(1 << 14), failed = buf_init(1 << 14);
	int want = e->required_count ? EXIT_FAIL : EXIT_PASS;
	bool ok = true;

	for (size_t i = 0; i < j->finding_count; i++) {
		const struct finding *f = &j->findings[i];

		if (f->verdict == VERDICT_FAIL)
			weigh_finding(e, f, &beyond, &ok, &failed);
		else if (!e->required_count && (f->verdict != VERDICT_PASS || !f->exposed))
			deviation(&beyond, &ok, verdict_name(f->verdict), f->name,
				  f->exposed ? "" : "nobody was exposed");
	}
	for (size_t i = 0; i < e->required_count; i++)
		if (!found(e->required[i], j))
			deviation(&beyond, &ok, "not found:", e->required[i], "");
	if (exit_code != want) {
		buf_printf(&beyond, "%sexit %d, should be %d", ok ? "; but " : ", ", exit_code,
			   want);
		ok = false;
	}
	buf_printf(told, "%s%s", failed.len ? buf_text(&failed) : "all checks pass",
		   buf_text(&beyond));
	buf_free(&beyond);
	buf_free(&failed);
	return ok;
}
