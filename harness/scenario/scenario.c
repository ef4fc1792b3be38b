#include "scenario/scenario.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "scenario/overlay.h"
#include "scenario/schema.h"
#include "scenario/validate.h"

enum { CANONICAL_BYTES_MAX = 4 * 1024 * 1024 };

/* Defaults that depend on other keys. */
static void resolve(const struct document *doc, struct scenario *sc)
{
	const struct node *cutover = &doc->root.items[node_find(&doc->root, "cutover")];
	int state = node_find(&doc->root, "state");

	for (size_t i = 0; i < sc->step_count; i++) {
		struct step *s = &sc->steps[i];

		s->line = cutover->items[i].mark.line;
		if (s->phase == PHASE_DRAIN && s->quiet_ns < 0)
			s->quiet_ns = longest_stickiness_ns(sc) + NS_PER_S;
	}
	/* Only the local stack has a tap; to ask for one elsewhere is an error, silence is none. */
	if (sc->stack.kind == STACK_NONE &&
	    (state < 0 || node_find(&doc->root.items[state], "tap") < 0))
		sc->state.tap = false;
}

static int lay_over(const char *overlay_path, struct scenario *sc, struct err *err)
{
	struct overlay overlay;
	int result;

	if (!overlay_path)
		return 0;
	if (overlay_load(overlay_path, &overlay, err) < 0)
		return -1;
	result = overlay_apply(&overlay, overlay_path, sc, err);
	overlay_free(&overlay);
	return result;
}

int scenario_load(const struct scenario_source *source, struct scenario **ret, struct buf *warnings,
		  struct err *err)
{
	struct document doc;
	struct scenario *sc;
	int result;

	if (document_read(source->path, source->variables, source->variable_count, &doc, err) < 0)
		return -1;
	sc = xcalloc(1, sizeof *sc);
	sc->path = xstrdup(source->path);
	result = schema_parse(&schema_scenario, &doc, sc, err);
	if (result == 0) {
		resolve(&doc, sc);
		if (source->seed)
			sc->seed = *source->seed;
		result = lay_over(source->overlay_path, sc, err);
	}
	if (result == 0)
		result = validate_scenario(&doc, sc, err);
	document_free(&doc);
	if (result < 0) {
		scenario_free(sc);
		return -1;
	}
	if (warnings)
		validate_warnings(sc, warnings);
	*ret = sc;
	return 0;
}

void scenario_free(struct scenario *sc)
{
	if (!sc)
		return;
	schema_free(&schema_scenario, sc);
	free(sc->path);
	free(sc);
}

void scenario_write(const struct scenario *sc, struct buf *out)
{
	schema_write(&schema_scenario, sc, out);
}

void scenario_digest(const struct scenario *sc, char out[65])
{
	struct buf text = buf_init(CANONICAL_BYTES_MAX);

	scenario_write(sc, &text);
	ASSERT(!text.overflow);
	hash_sha256_hex(buf_text(&text), text.len, out);
	buf_free(&text);
}
