#include "driver/core/alb_targets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { SHOWN_MAX = 8 };

static int by_name(const void *a, const void *b)
{
	const struct alb_target *x = a, *y = b;
	int order = strcmp(x->id, y->id);

	return order ? order : strcmp(x->port, y->port);
}

int alb_targets_read(const struct flat *f, struct alb_target *out, struct err *err)
{
	const char *id;
	int n = 0;

	for (; (id = flat_get(f, "TargetHealthDescriptions.member.%d.Target.Id", n + 1)); n++) {
		const char *port = flat_get(f, "TargetHealthDescriptions.member.%d.Target.Port",
					    n + 1);
		const char *state = flat_get(
			f, "TargetHealthDescriptions.member.%d.TargetHealth.State", n + 1);
		const char *reason = flat_get(
			f, "TargetHealthDescriptions.member.%d.TargetHealth.Reason", n + 1);

		if (n == ALB_TARGETS_MAX)
			return err_set(err, ERR_WORLD, "more than %d targets", ALB_TARGETS_MAX);
		snprintf(out[n].id, sizeof out[n].id, "%s", id);
		snprintf(out[n].port, sizeof out[n].port, "%s", port ? port : "");
		out[n].healthy = state && !strcmp(state, "healthy");
		out[n].registered = state && strcmp(state, "draining") &&
				    (!reason || strcmp(reason, "Target.NotRegistered"));
	}
	qsort(out, (size_t)n, sizeof *out, by_name);
	return n;
}

void alb_targets_write(const struct alb_target *target, int count, struct buf *line)
{
	struct buf names = buf_init((size_t)ALB_TARGETS_MAX * sizeof *target);
	int registered = 0;
	char digest[17];

	for (int i = 0; i < count; i++)
		if (target[i].registered)
			buf_printf(&names, "%s%s:%s", registered++ ? "," : "", target[i].id,
				   target[i].port);
	if (registered <= SHOWN_MAX) {
		buf_puts(line, buf_text(&names));
	} else {
		hash_hex16(hash_id(names.data, names.len), digest);
		buf_printf(line, "%d/%s", registered, digest);
	}
	buf_free(&names);
}
