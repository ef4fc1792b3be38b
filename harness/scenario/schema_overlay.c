/* The keys of an overlay. */
#include "scenario/overlay.h"
#include "scenario/schema_rows.h"

/* clang-format off */
static const struct field overlay_stack_fields[] = { STACK_DEEDS(0) };
static const struct map overlay_stack_map = {
	.name = "an overlay's stack", MAP_OF(overlay_stack_fields),
};

static const struct field overlay_drain_fields[] = {
	ROW("begin", FIELD_WORD, AT(overlay, begin), "what starts every drain",
	    .words = schema_begin_words, .absent = -1),
	ROW("deadline", FIELD_DURATION, AT(overlay, deadline_ns), "deadline of every drain",
	    .absent = -1, .min = NS_PER_MS),
};
static const struct map overlay_drain_map = {
	.name = "an overlay's drain", MAP_OF(overlay_drain_fields),
};

static const struct field expect_fields[] = {
	ROW("required", FIELD_TEXTS, AT(overlay, expectation.required),
	    "findings without which the judge has missed it",
	    .count_offset = AT(overlay, expectation.required_count)),
	ROW("allowed", FIELD_TEXTS, AT(overlay, expectation.allowed),
	    "findings that may come with it",
	    .count_offset = AT(overlay, expectation.allowed_count)),
};
static const struct map expect_map = { .name = "expect", MAP_OF(expect_fields) };

static const struct field overlay_fields[] = {
	ROW("defect", FIELD_TEXT, AT(overlay, defect),
	    "name of a planted defect: the run must fail"),
	ROW("control", FIELD_TEXT, AT(overlay, control),
	    "name of a control run: the run must pass"),
	ROW("about", FIELD_TEXT, AT(overlay, expectation.about), "one sentence", .required = true),
	ROW("base", FIELD_TEXT, AT(overlay, expectation.base),
	    "the scenario it is made for, a file of scenarios/: tls.yaml. Without: any"),
	ROW("stack", FIELD_MAP, AT(overlay, stack), "what the local parts really do",
	    .map = &overlay_stack_map, .given_offset = AT(overlay, has_stack)),
	ROW("drain", FIELD_MAP, 0, "changes to every drain step", .map = &overlay_drain_map),
	ROW("skip", FIELD_WORDS, AT(overlay, skip), "steps announced and not done",
	    .words = schema_phase_words),
	ROW("certificate", FIELD_WORD, AT(overlay, certificate), "what the TLS listener shows",
	    .words = schema_certificate_words, .absent = -1),
	ROW("script_defect", FIELD_TEXT, AT(overlay, script_defect),
	    "handed to the operator's script as --defect"),
	ROW("expect", FIELD_MAP, 0, "what the judge must and may find", .map = &expect_map),
};
const struct map schema_overlay = { .name = "an overlay", MAP_OF(overlay_fields) };
