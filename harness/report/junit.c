/*
 * JUnit as CI systems read it: a testcase for each check, gate and step of the cutover. Names and
 * classnames depend on the scenario only, so that a CI system can follow a case from run to run. An
 * inconclusive case is a failing one: a skipped case is shown in green. The text stands in the body
 * too, because some readers show only that.
 */
#include <libxml/xmlwriter.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "report/core/words.h"

enum { BODY_MAX = 64 * 1024 };

struct testcase {
	const char *phase;
	char name[256];
	int64_t time_ns;
	const char *failure; /* type of the failure; NULL: passed */
	const char *message;
	struct buf body;
};

/* The writer refuses nothing: what XML cannot hold must not reach it. */
static void attribute(xmlTextWriterPtr xml, const char *name, const char *value)
{
	char *clean = text_clean(value);

	xmlTextWriterWriteAttribute(xml, (const xmlChar *)name, (const xmlChar *)clean);
	free(clean);
}

static void attribute_time(xmlTextWriterPtr xml, int64_t ns)
{
	char text[32];

	snprintf(text, sizeof(text), "%.3f", (double)ns / NS_PER_S);
	attribute(xml, "time", text);
}

/* Writes the case and frees its body. */
static void emit(xmlTextWriterPtr xml, const struct report_input *input, struct testcase *c)
{
	char classname[256], message[512];

	snprintf(classname, sizeof(classname), "crossfade.%s.%s", input->scenario->name, c->phase);
	xmlTextWriterStartElement(xml, (const xmlChar *)"testcase");
	attribute(xml, "classname", classname);
	attribute(xml, "name", c->name);
	attribute_time(xml, c->time_ns);
	xmlTextWriterStartElement(xml, (const xmlChar *)(c->failure ? "failure" : "system-out"));
	if (c->failure) {
		snprintf(message, sizeof(message), "%s: %s", c->failure, c->message);
		attribute(xml, "type", c->failure);
		attribute(xml, "message", message);
	}
	char *body = text_clean(buf_text(&c->body));
	xmlTextWriterWriteString(xml, (const xmlChar *)body);
	free(body);
	xmlTextWriterEndElement(xml);
	xmlTextWriterEndElement(xml);
	buf_free(&c->body);
}

static const char *failure(enum verdict verdict)
{
	return verdict == VERDICT_PASS ? NULL : verdict_name(verdict);
}

static int64_t run_time_ns(const struct judgement *judgement)
{
	return judgement->end_ns - judgement->start_ns;
}

static void check_case(xmlTextWriterPtr xml, const struct report_input *input,
		       const struct finding *f)
{
	struct testcase c = { .phase = "run",
			      .time_ns = run_time_ns(input->judgement),
			      .failure = failure(f->verdict),
			      .message = f->summary,
			      .body = buf_init(BODY_MAX) };

	snprintf(c.name, sizeof(c.name), "%s", f->name);
	buf_printf(&c.body, "%s\n%llu seen, %llu needed, %llu violations\n", f->summary,
		   (unsigned long long)f->exposed, (unsigned long long)f->need,
		   (unsigned long long)f->violations);
	if (f->verdict == VERDICT_INCONCLUSIVE && f->reason_count)
		c.message = f->reasons[0].text;
	for (size_t i = 0; i < f->reason_count; i++)
		buf_printf(&c.body, "inconclusive, %s: %s: %s\n", reason_name(f->reasons[i].reason),
			   reason_sentence(f->reasons[i].reason), f->reasons[i].text);
	for (size_t i = 0; i < f->witness_count; i++) {
		const struct witness *w = &f->witnesses[i];

		buf_printf(&c.body, "%s leg %u on %s at %s in %s: %s\n  %s, cause %s: %s\n",
			   call_label(input, w->call).s, w->leg, instance_label(input, w->instance),
			   format_at(w->t_ns, input->judgement->start_ns).s, phase_name(w->phase),
			   w->text, anomaly_name(w->anomaly), anomaly_name(w->cause),
			   anomaly_sentence(w->cause));
	}
	emit(xml, input, &c);
}

static const char *gate_phase(const struct gate *gate)
{
	if (gate->phase == GATE_PHASE_CUTOVER)
		return "cutover";
	return gate->phase == GATE_PHASE_ANY ? "run" : phase_name((unsigned)gate->phase);
}

static bool within(const struct gate *gate, enum phase phase)
{
	if (gate->phase == GATE_PHASE_CUTOVER)
		return phase_of_cutover(phase);
	return gate->phase == (int)phase;
}

/* The time a gate looked at: that of its phases. */
static int64_t gate_time_ns(const struct judgement *judgement, const struct gate *gate)
{
	int64_t sum_ns = 0;

	if (gate->phase == GATE_PHASE_ANY)
		return run_time_ns(judgement);
	for (size_t i = 0; i < judgement->phase_count; i++) {
		const struct phase_result *phase = &judgement->phases[i];

		if (within(gate, phase->phase) && phase->end_ns)
			sum_ns += phase->end_ns - phase->start_ns;
	}
	return sum_ns;
}

static void gate_case(xmlTextWriterPtr xml, const struct report_input *input,
		      const struct gate_result *result)
{
	const struct gate *gate = result->gate;
	struct testcase c = { .phase = gate_phase(gate),
			      .time_ns = gate_time_ns(input->judgement, gate),
			      .failure = failure(result->verdict),
			      .body = buf_init(BODY_MAX) };
	struct buf message = buf_init(BODY_MAX);

	snprintf(c.name, sizeof(c.name), "%s %s", gate->key, gate->expression);
	buf_printf(&message, "measured %s, limit %s, %llu samples",
		   gate_value(gate, result->measured).s, gate_value(gate, gate->limit).s,
		   (unsigned long long)result->samples);
	if (*result->note)
		buf_printf(&message, ": %s", result->note);
	c.message = buf_text(&message);
	buf_printf(&c.body, "%s %s\n%s\n", gate->key, gate->expression, c.message);
	emit(xml, input, &c);
	buf_free(&message);
}

static void step_case(xmlTextWriterPtr xml, const struct report_input *input,
		      const struct phase_result *phase)
{
	struct testcase c = { .phase = phase_name(phase->phase),
			      .failure = failure(phase->verdict),
			      .message = phase->error,
			      .body = buf_init(BODY_MAX) };

	if (phase->end_ns)
		c.time_ns = phase->end_ns - phase->start_ns;
	snprintf(c.name, sizeof(c.name), "step %u %s", phase->step + 1u,
		 phase_label(input->scenario, phase).s);
	buf_printf(&c.body, "from %s, lasted %s\n%s\n",
		   format_at(phase->start_ns, input->judgement->start_ns).s,
		   phase->end_ns ? format_duration(c.time_ns).s : "to no end", phase->error);
	emit(xml, input, &c);
}

/* `before` and `after` are no steps of the cutover; they are told when something is wrong with
 * them. */
static bool is_step(const struct phase_result *phase)
{
	return (phase->phase != PHASE_BEFORE && phase->phase != PHASE_AFTER) ||
	       phase->verdict != VERDICT_PASS;
}

/* What is wrong with the run as a whole and might leave every check green. */
static void run_case(xmlTextWriterPtr xml, const struct report_input *input)
{
	const struct judgement *judgement = input->judgement;
	struct testcase c = { .phase = "run",
			      .name = "run",
			      .time_ns = run_time_ns(judgement),
			      .body = buf_init(BODY_MAX) };

	if (judgement->harness_error) {
		c.failure = "harness_error";
		c.message = judgement->harness_text;
	} else if (judgement->interrupted) {
		c.failure = "interrupted";
		c.message = "the run was interrupted before its end";
	}
	buf_printf(&c.body, "%s\nagain: %s\n", c.failure ? c.message : "the run came to its end",
		   input->again);
	emit(xml, input, &c);
}

struct count {
	unsigned tests, failures;
};

static void tally(struct count *count, bool failed)
{
	count->tests++;
	count->failures += failed;
}

static struct count count_cases(const struct judgement *judgement)
{
	struct count count = { 0 };

	tally(&count, judgement->harness_error || judgement->interrupted);
	for (size_t i = 0; i < judgement->finding_count; i++)
		tally(&count, judgement->findings[i].verdict != VERDICT_PASS);
	for (size_t i = 0; i < judgement->gate_count; i++)
		tally(&count, judgement->gates[i].verdict != VERDICT_PASS);
	for (size_t i = 0; i < judgement->phase_count; i++) {
		if (is_step(&judgement->phases[i]))
			tally(&count, judgement->phases[i].verdict != VERDICT_PASS);
	}
	return count;
}

static void suite(xmlTextWriterPtr xml, const struct report_input *input)
{
	const struct judgement *judgement = input->judgement;
	struct count count = count_cases(judgement);
	struct formatted date = run_date(input);
	char name[256];

	snprintf(name, sizeof(name), "crossfade.%s", input->scenario->name);
	xmlTextWriterStartElement(xml, (const xmlChar *)"testsuite");
	attribute(xml, "name", name);
	xmlTextWriterWriteFormatAttribute(xml, (const xmlChar *)"tests", "%u", count.tests);
	xmlTextWriterWriteFormatAttribute(xml, (const xmlChar *)"failures", "%u", count.failures);
	attribute(xml, "errors", "0");
	attribute(xml, "skipped", "0");
	attribute_time(xml, run_time_ns(judgement));
	if (*date.s)
		attribute(xml, "timestamp", date.s);
	run_case(xml, input);
	for (size_t i = 0; i < judgement->finding_count; i++)
		check_case(xml, input, &judgement->findings[i]);
	for (size_t i = 0; i < judgement->gate_count; i++)
		gate_case(xml, input, &judgement->gates[i]);
	for (size_t i = 0; i < judgement->phase_count; i++) {
		if (is_step(&judgement->phases[i]))
			step_case(xml, input, &judgement->phases[i]);
	}
	xmlTextWriterEndElement(xml);
}

static int write_junit(const struct report_input *input, FILE *out, struct err *err)
{
	xmlBufferPtr buffer = xmlBufferCreate();
	xmlTextWriterPtr xml = buffer ? xmlNewTextWriterMemory(buffer, 0) : NULL;
	int result = -1;

	if (!xml) {
		err_set(err, ERR_HARNESS, "junit report: no memory for an XML writer");
		goto out;
	}
	xmlTextWriterSetIndent(xml, 1);
	xmlTextWriterStartDocument(xml, NULL, "UTF-8", NULL);
	xmlTextWriterStartElement(xml, (const xmlChar *)"testsuites");
	suite(xml, input);
	if (xmlTextWriterEndDocument(xml) < 0 ||
	    fputs((const char *)xmlBufferContent(buffer), out) == EOF) {
		err_set(err, ERR_HARNESS, "junit report: cannot be written");
		goto out;
	}
	result = 0;
out:
	if (xml)
		xmlFreeTextWriter(xml);
	if (buffer)
		xmlBufferFree(buffer);
	return result;
}

const struct report report_junit = {
	.name = "junit",
	.about = "JUnit XML for CI systems: a testcase for each check, gate and step",
	.write = write_junit,
};
