#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/shell.h"
#include "report/core/text.h"
#include "report/core/words.h"

enum { VERDICT_COLUMN = 2, NAME_COLUMN = 16, EVIDENCE_COLUMN = 18, WITNESSES_SHOWN = 3 };

static const char *paint(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_PASS:
		return "\033[32m";
	case VERDICT_INCONCLUSIVE:
		return "\033[33m";
	case VERDICT_FAIL:
		break;
	}
	return "\033[1;31m";
}

static void upper(const char *word, char *out, size_t size)
{
	size_t i = 0;

	for (; word[i] && i + 1 < size; i++)
		out[i] = word[i] == '_' ? ' ' : (char)toupper((unsigned char)word[i]);
	out[i] = '\0';
}

void text_verdict(const struct report_input *input, enum verdict verdict, FILE *out)
{
	char word[16];

	upper(verdict_name(verdict), word, sizeof(word));
	fprintf(out, "%*s%s%-12s%s  ", VERDICT_COLUMN, "", input->color ? paint(verdict) : "", word,
		input->color ? "\033[0m" : "");
}

void text_wrap(FILE *out, size_t column, size_t indent, const char *text)
{
	char *clean = text_clean(text);
	bool first = true;

	for (char *rest = NULL, *word = strtok_r(clean, " \t\n", &rest); word;
	     word = strtok_r(NULL, " \t\n", &rest)) {
		size_t length = strlen(word);

		if (!first && column + 1 + length > TEXT_COLUMNS) {
			fprintf(out, "\n%*s", (int)indent, "");
			column = indent;
			first = true;
		}
		fprintf(out, "%s%s", first ? "" : " ", word);
		column += length + !first;
		first = false;
	}
	fputc('\n', out);
	free(clean);
}

void text_headline(const struct report_input *input, FILE *out)
{
	const struct judgement *judgement = input->judgement;
	const struct scenario *scenario = input->scenario;
	int code = judgement_exit_code(judgement);
	enum verdict verdict = code == EXIT_PASS ? VERDICT_PASS :
			       code == EXIT_INCONCLUSIVE || code == EXIT_INTERRUPTED ?
						   VERDICT_INCONCLUSIVE :
						   VERDICT_FAIL;
	char word[16];

	upper(run_outcome(judgement), word, sizeof(word));
	fprintf(out, "%s%s%s   %s   seed %llu   %s calls   %s   exit %d",
		input->color ? paint(verdict) : "", word, input->color ? "\033[0m" : "",
		scenario->name, (unsigned long long)scenario->seed,
		format_count(judgement->ledger.started).s,
		format_duration(judgement->end_ns - judgement->start_ns).s, code);
	if (scenario->defect)
		fprintf(out, "   with %s: %s", scenario->defect,
			scenario->defect_about ? scenario->defect_about : "");
	fputc('\n', out);
	if (judgement->harness_error) {
		fprintf(out, "  no verdict on the target: ");
		text_wrap(out, 28, 4, judgement->harness_text);
	}
	if (judgement->interrupted)
		fprintf(out, "  interrupted%s\n",
			judgement->ledger.started ? ": what follows is true of the part that ran" :
						    " before the first call");
}

/* Which witnesses to show: one of each kind first, then the earliest others. */
static size_t choose(const struct finding *f, size_t chosen[WITNESSES_SHOWN])
{
	size_t count = 0;

	for (size_t i = 0; i < f->witness_count && count < WITNESSES_SHOWN; i++) {
		bool seen = false;

		for (size_t j = 0; j < count; j++) {
			const struct witness *other = &f->witnesses[chosen[j]];

			seen |= other->anomaly == f->witnesses[i].anomaly &&
				other->cause == f->witnesses[i].cause;
		}
		if (!seen)
			chosen[count++] = i;
	}
	for (size_t i = 0; i < f->witness_count && count < WITNESSES_SHOWN; i++) {
		bool taken = false;

		for (size_t j = 0; j < count; j++)
			taken |= chosen[j] == i;
		if (!taken)
			chosen[count++] = i;
	}
	return count;
}

static void name_line(const char *label, enum anomaly anomaly, FILE *out)
{
	fprintf(out, "%*s%s: %s", EVIDENCE_COLUMN, "", label, anomaly_name(anomaly));
	if (*anomaly_sentence(anomaly))
		fprintf(out, ": %s", anomaly_sentence(anomaly));
	fputc('\n', out);
}

static void one_witness(const struct report_input *input, const struct witness *w, FILE *out)
{
	const char *instance = instance_label(input, w->instance);
	struct buf line = buf_init(4096);

	if (w->call)
		buf_printf(&line, "call %s  leg %u%s%s  ", call_label(input, w->call).s, w->leg,
			   *instance ? " on " : "", instance);
	else if (*instance)
		buf_printf(&line, "%s  ", instance);
	buf_printf(&line, "%s in %s  ", format_at(w->t_ns, input->judgement->start_ns).s,
		   phase_name(w->phase));
	fprintf(out, "%*s%s", EVIDENCE_COLUMN, "", buf_text(&line));
	text_wrap(out, EVIDENCE_COLUMN + line.len, EVIDENCE_COLUMN, w->text);
	buf_free(&line);
	if (w->cause && w->cause != w->anomaly)
		name_line("what", w->anomaly, out);
	name_line("cause", w->cause ? w->cause : w->anomaly, out);
}

static void whole_story(const struct report_input *input, const char *call, FILE *out)
{
	struct buf dir = buf_init(1 << 16);

	shell_word(&dir, input->run_dir);
	fprintf(out, "%*swhole story: crossfade explain %s %s\n", EVIDENCE_COLUMN, "",
		buf_text(&dir), call);
	buf_free(&dir);
}

static void witnesses(const struct report_input *input, const struct finding *f, FILE *out)
{
	size_t chosen[WITNESSES_SHOWN], count = choose(f, chosen);
	const char *explain = NULL;
	struct formatted call = { "" };

	for (size_t i = 0; i < count; i++) {
		const struct witness *w = &f->witnesses[chosen[i]];

		one_witness(input, w, out);
		if (!explain && w->call) {
			call = call_label(input, w->call);
			explain = call.s;
		}
	}
	if (f->violations > count) {
		fprintf(out, "%*sand %s more; all of them:", EVIDENCE_COLUMN, "",
			format_count(f->violations - count).s);
		for (unsigned i = ANOMALY_NONE + 1, shown = 0; i < ANOMALY_COUNT; i++) {
			if (f->anomalies[i])
				fprintf(out, "%s %s %s", shown++ ? "," : "",
					format_count(f->anomalies[i]).s, anomaly_name(i));
		}
		fputc('\n', out);
	}
	if (explain)
		whole_story(input, explain, out);
}

static void one_check(const struct report_input *input, const struct finding *f, int width,
		      FILE *out)
{
	text_verdict(input, f->verdict, out);
	fprintf(out, "%-*s  ", width, f->name);
	text_wrap(out, (size_t)(NAME_COLUMN + width + 2), (size_t)(NAME_COLUMN + width + 2),
		  f->summary);
	for (size_t i = 0; f->verdict != VERDICT_PASS && i < f->reason_count; i++) {
		const char *sentence = reason_sentence(f->reasons[i].reason);

		fprintf(out, "%*s%s: ", EVIDENCE_COLUMN, "", sentence);
		text_wrap(out, EVIDENCE_COLUMN + strlen(sentence) + 2, EVIDENCE_COLUMN,
			  f->reasons[i].text);
	}
	witnesses(input, f, out);
}

/* What was left out is said: nobody must take its absence for a pass. */
static void unasked(const struct judgement *judgement, FILE *out)
{
	struct buf line = buf_init(4096);

	for (size_t i = 0; i < judgement->unasked_count; i++)
		buf_printf(&line, "%s%s (%s)", i ? ", " : "", judgement->unasked[i]->name,
			   judgement->unasked[i]->why_not ? judgement->unasked[i]->why_not : "");
	if (line.len) {
		fprintf(out, "%*s%-12s  ", VERDICT_COLUMN, "", "not asked");
		text_wrap(out, NAME_COLUMN, NAME_COLUMN, buf_text(&line));
	}
	buf_free(&line);
}

void text_checks(const struct report_input *input, FILE *out)
{
	const struct judgement *judgement = input->judgement;
	int width = 0;

	for (size_t i = 0; i < judgement->finding_count; i++) {
		int length = (int)strlen(judgement->findings[i].name);

		width = length > width ? length : width;
	}
	for (size_t i = 0; i < judgement->finding_count; i++)
		one_check(input, &judgement->findings[i], width, out);
	unasked(judgement, out);
}

static void one_gate(const struct report_input *input, const struct gate_result *result, int width,
		     FILE *out)
{
	const struct gate *gate = result->gate;
	char name[256];

	snprintf(name, sizeof(name), "%s: %s", gate->key, gate->expression);
	text_verdict(input, result->verdict, out);
	fprintf(out, "%-*s  ", width, name);
	if (!result->samples)
		fprintf(out, "no samples");
	else
		fprintf(out, "measured %s, limit %s", gate_value(gate, result->measured).s,
			gate_value(gate, gate->limit).s);
	if (result->samples && gate->stat != GATE_COUNT)
		fprintf(out, ", %s samples", format_count(result->samples).s);
	fputc('\n', out);
	if (*result->note) {
		fprintf(out, "%*s", EVIDENCE_COLUMN, "");
		text_wrap(out, EVIDENCE_COLUMN, EVIDENCE_COLUMN, result->note);
	}
}

void text_gates(const struct report_input *input, FILE *out)
{
	const struct judgement *judgement = input->judgement;
	int width = 0;

	for (size_t i = 0; i < judgement->gate_count; i++) {
		const struct gate *gate = judgement->gates[i].gate;
		int length = (int)(strlen(gate->key) + strlen(gate->expression) + 2);

		width = length > width ? length : width;
	}
	if (judgement->gate_count)
		fputs("\ngates\n", out);
	for (int verdict = VERDICT_FAIL; verdict >= VERDICT_PASS; verdict--) {
		for (size_t i = 0; i < judgement->gate_count; i++) {
			if ((int)judgement->gates[i].verdict == verdict)
				one_gate(input, &judgement->gates[i], width, out);
		}
	}
}
