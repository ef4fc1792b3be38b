#include "report/core/text.h"

static void tables(const struct report_input *input, FILE *out)
{
	text_checks(input, out);
	text_gates(input, out);
	text_phases(input, out);
	text_latency(input, out);
	text_redis_claim(input, out);
	text_ledger(input, out);
}

static int write_text(const struct report_input *input, FILE *out, struct err *err)
{
	const struct judgement *judgement = input->judgement;

	text_headline(input, out);
	/* Of a run that ended before its first call, tables of zeros would only hide why. */
	if (judgement->ledger.started || !(judgement->harness_error || judgement->interrupted))
		tables(input, out);
	fprintf(out, "\nagain:  %s\nreport: %s/result.json\n", input->again, input->run_dir);
	return ferror(out) ? err_set(err, ERR_HARNESS, "text report: cannot be written") : 0;
}

const struct report report_text = {
	.name = "text",
	.about = "what a terminal shows: what failed first, then the tables",
	.write = write_text,
};
