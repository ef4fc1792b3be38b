#include "report/report.h"

static int write_ndjson(const struct report_input *input, FILE *out, struct err *err)
{
	const struct event *event;

	if (history_rewind(input->history, err) < 0)
		return err_context(err, "ndjson report");
	while (history_next(input->history, &event))
		history_print_ndjson(input->history, event, out);
	return 0;
}

const struct report report_ndjson = {
	.name = "ndjson",
	.about = "every event of the record, merged, one JSON object a line",
	.write = write_ndjson,
};
