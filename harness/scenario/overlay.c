#include "scenario/overlay.h"

#include <stdlib.h>
#include <string.h>

#include "scenario/schema.h"

static int stray_error(const struct document *doc, struct err *err, const char *text)
{
	return place_error(&doc->source, doc->root.mark, NULL, err, "%s", text);
}

/* "check", "anomaly" or "check:anomaly". Only anomalies after a colon can be told from checks here:
 * checks are known above this room. */
static int check_finding(const struct document *doc, struct mark mark, const char *text,
			 struct err *err)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz_";
	const char *words[ANOMALY_COUNT], *anomaly = strchr(text, ':');
	char hint[128];

	if (!strspn(text, letters) || (!anomaly && text[strspn(text, letters)]) ||
	    (anomaly && text + strspn(text, letters) != anomaly))
		return place_error(&doc->source, mark, NULL, err,
				   "\"%.60s\" is neither a check nor check:anomaly", text);
	if (!anomaly || anomaly_parse(anomaly + 1) > ANOMALY_NONE)
		return 0;
	for (unsigned i = 1; i < ANOMALY_COUNT; i++)
		words[i - 1] = anomaly_name(i);
	nearest_hint(anomaly + 1, words, ANOMALY_COUNT - 1, hint, sizeof hint);
	return place_error(&doc->source, mark, hint, err, "unknown anomaly \"%.40s\"", anomaly + 1);
}

static int check_findings(const struct document *doc, const char *key, char *const *texts,
			  size_t count, struct err *err)
{
	/* Parsed from this very list: it is there and as long. */
	const struct node *expect = count ? &doc->root.items[node_find(&doc->root, "expect")] :
					    NULL;
	const struct node *list = count ? &expect->items[node_find(expect, key)] : NULL;

	for (size_t i = 0; i < count; i++)
		if (check_finding(doc, list->items[i].mark, texts[i], err) < 0)
			return -1;
	return 0;
}

static int check_overlay(const struct document *doc, const struct overlay *o, struct err *err)
{
	const struct expectation *e = &o->expectation;

	if (!o->defect == !o->control)
		return stray_error(
			doc, err,
			"an overlay needs a name: either the key \"defect\" or the key \"control\"");
	if (o->defect && !e->required_count)
		return stray_error(doc, err,
				   "a defect needs expect.required: what the judge must find");
	if (o->control && (e->required_count || e->allowed_count))
		return stray_error(doc, err, "a control run must pass: it expects nothing");
	if (check_findings(doc, "required", e->required, e->required_count, err) < 0)
		return -1;
	return check_findings(doc, "allowed", e->allowed, e->allowed_count, err);
}

int overlay_load(const char *path, struct overlay *ret, struct err *err)
{
	struct overlay o = { .deadline_ns = -1, .certificate = -1 };
	struct document doc;
	int result;

	if (document_read(path, NULL, 0, &doc, err) < 0)
		return -1;
	result = schema_parse(&schema_overlay, &doc, &o, err);
	if (result == 0)
		result = check_overlay(&doc, &o, err);
	document_free(&doc);
	if (result < 0)
		schema_free(&schema_overlay, &o);
	else
		*ret = o;
	return result;
}

void overlay_free(struct overlay *o)
{
	if (o)
		schema_free(&schema_overlay, o);
}

static void replace_text(char **to, const char *from)
{
	if (!from)
		return;
	free(*to);
	*to = xstrdup(from);
}

static void replace_ns(int64_t *to, int64_t from)
{
	if (from >= 0)
		*to = from;
}

static void replace_texts(char ***to, size_t *to_count, char *const *from, size_t count)
{
	if (!count)
		return;
	for (size_t i = 0; i < *to_count; i++)
		free((*to)[i]);
	free(*to);
	*to = xcalloc(count, sizeof **to);
	for (size_t i = 0; i < count; i++)
		(*to)[i] = xstrdup(from[i]);
	*to_count = count;
}

static void apply_stack(const struct stack *from, struct stack *to)
{
	replace_text(&to->agent_defect, from->agent_defect);
	replace_text(&to->green_defect, from->green_defect);
	replace_ns(&to->stickiness_ns, from->stickiness_ns);
	replace_ns(&to->deregistration_delay_ns, from->deregistration_delay_ns);
	replace_ns(&to->idle_ns, from->idle_ns);
	replace_ns(&to->propagation_ns, from->propagation_ns);
	replace_ns(&to->propagation_jitter_ns, from->propagation_jitter_ns);
	replace_text(&to->tls, from->tls);
	replace_text(&to->silent_metrics, from->silent_metrics);
	replace_texts(&to->edge_options, &to->edge_option_count, from->edge_options,
		      from->edge_option_count);
	replace_texts(&to->api_faults, &to->api_fault_count, from->api_faults,
		      from->api_fault_count);
}

/* How many drain steps there were to change. */
static int apply_steps(const struct overlay *o, struct scenario *sc)
{
	int drains = 0;

	for (size_t i = 0; i < sc->step_count; i++) {
		struct step *s = &sc->steps[i];

		if (o->skip & 1u << s->phase)
			s->skip = true;
		if (s->phase != PHASE_DRAIN)
			continue;
		drains++;
		if (o->begin >= 0)
			s->begin = (enum begin_kind)o->begin;
		replace_ns(&s->deadline_ns, o->deadline_ns);
	}
	return drains;
}

int overlay_apply(const struct overlay *o, const char *overlay_path, struct scenario *sc,
		  struct err *err)
{
	const char *name = o->defect ? o->defect : o->control;

	if (sc->defect)
		return err_set(err, ERR_INPUT,
			       "%s: overlay %s is already applied; %s cannot be laid over it",
			       sc->path, sc->defect, name);
	if (sc->stack.kind != STACK_LOCAL)
		return err_set(
			err, ERR_INPUT,
			"%s: overlay %s (%s) changes the local stack; this scenario's stack is none",
			sc->path, name, overlay_path);
	if (!apply_steps(o, sc) && (o->begin >= 0 || o->deadline_ns >= 0))
		return err_set(err, ERR_INPUT,
			       "%s: overlay %s (%s) changes the drain; this cutover has none",
			       sc->path, name, overlay_path);
	if (o->script_defect && !sc->balancer.command_count)
		return err_set(err, ERR_INPUT,
			       "%s: overlay %s (%s) plants a bug in the script; this cutover has none",
			       sc->path, name, overlay_path);
	if (o->has_stack)
		apply_stack(&o->stack, &sc->stack);
	if (o->certificate >= 0)
		sc->stack.certificate = (enum certificate_kind)o->certificate;
	replace_text(&sc->balancer.script_defect, o->script_defect);
	sc->defect = xstrdup(name);
	sc->defect_about = xstrdup(o->expectation.about);
	return 0;
}

int expectation_load(const char *overlay_path, struct expectation *ret, struct err *err)
{
	struct overlay o;

	if (overlay_load(overlay_path, &o, err) < 0)
		return -1;
	/* What the expectation takes over is no longer the overlay's to free. */
	*ret = o.expectation;
	ret->defect = xstrdup(o.defect ? o.defect : o.control);
	o.expectation = (struct expectation){ .defect = NULL };
	overlay_free(&o);
	return 0;
}

void expectation_free(struct expectation *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < e->required_count; i++)
		free(e->required[i]);
	for (size_t i = 0; i < e->allowed_count; i++)
		free(e->allowed[i]);
	free(e->required);
	free(e->allowed);
	free(e->defect);
	free(e->about);
	free(e->base);
	*e = (struct expectation){ .defect = NULL };
}
