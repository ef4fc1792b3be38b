#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "director/script_says.h"

static void an_announcement_is_understood_or_called_nonsense(void **state)
{
	static const struct {
		const char *line;
		struct script_says want;
	} cases[] = {
		{ "", { .word = SCRIPT_TALK } },
		{ "hello", { .word = SCRIPT_TALK } },
		{ " crossfade: phase drain", { .word = SCRIPT_TALK } },
		{ "crossfade:phase drain", { .word = SCRIPT_TALK } },
		{ "crossfade: phase drain", { .word = SCRIPT_PHASE, .phase = PHASE_DRAIN } },
		{ "crossfade:  phase  smoke ", { .word = SCRIPT_PHASE, .phase = PHASE_SMOKE } },
		{ "crossfade: phase steady", { .word = SCRIPT_PHASE, .phase = PHASE_STEADY } },
		{ "crossfade: phase rollback", { .word = SCRIPT_PHASE, .phase = PHASE_ROLLBACK } },
		{ "crossfade: phase", { .word = SCRIPT_NONSENSE } },
		{ "crossfade: phase drian", { .word = SCRIPT_NONSENSE } },
		{ "crossfade: phase after", { .word = SCRIPT_NONSENSE } },
		{ "crossfade: phase script", { .word = SCRIPT_NONSENSE } },
		{ "crossfade: phase drain now", { .word = SCRIPT_NONSENSE } },
		{ "crossfade: phase draindraindraindrain", { .word = SCRIPT_NONSENSE } },
		{ "crossfade: weights 0 100", { .word = SCRIPT_WEIGHTS, .green = 100 } },
		{ "crossfade: weights 0 0", { .word = SCRIPT_WEIGHTS } },
		{ "crossfade: weights 999 1", { .word = SCRIPT_WEIGHTS, .blue = 999, .green = 1 } },
		{ "crossfade: weights 1000 1", { .word = SCRIPT_NONSENSE } },
		{ "crossfade: weights -1 1", { .word = SCRIPT_NONSENSE } },
		{ "crossfade: weights 1", { .word = SCRIPT_NONSENSE } },
		{ "crossfade: weights 1 2 3", { .word = SCRIPT_NONSENSE } },
		{ "crossfade: weights 99999999999999999999 1", { .word = SCRIPT_NONSENSE } },
		{ "crossfade: weights-ok 5 95",
		  { .word = SCRIPT_WEIGHTS_OK, .blue = 5, .green = 95 } },
		{ "crossfade: drained blue 0 2 0",
		  { .word = SCRIPT_DRAINED, .color = COLOR_BLUE, .asked = 2 } },
		{ "crossfade: drained green 7 3 1",
		  { .word = SCRIPT_DRAINED,
		    .color = COLOR_GREEN,
		    .active = 7,
		    .asked = 3,
		    .unreachable = 1 } },
		{ "crossfade: drained red 0 2 0", { .word = SCRIPT_NONSENSE } },
		{ "crossfade: drained unknown 0 2 0", { .word = SCRIPT_NONSENSE } },
		{ "crossfade: drained blue 0 2 3", { .word = SCRIPT_NONSENSE } },
		{ "crossfade: drained blue 0 65 0", { .word = SCRIPT_NONSENSE } },
		{ "crossfade: drained blue 65536 2 0", { .word = SCRIPT_NONSENSE } },
		{ "crossfade: drained blue 0 2", { .word = SCRIPT_NONSENSE } },
		{ "crossfade: failed", { .word = SCRIPT_FAILED, .text = "" } },
		{ "crossfade: failed the smoke test",
		  { .word = SCRIPT_FAILED, .text = "the smoke test" } },
		{ "crossfade: fail", { .word = SCRIPT_NONSENSE } },
		{ "crossfade: ", { .word = SCRIPT_NONSENSE } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct script_says *want = &cases[i].want;
		struct script_says s = script_says(cases[i].line);

		if (s.word != want->word || s.phase != want->phase || s.blue != want->blue ||
		    s.green != want->green || s.color != want->color || s.active != want->active ||
		    s.asked != want->asked || s.unreachable != want->unreachable ||
		    !s.text != !want->text || (s.text && strcmp(s.text, want->text) != 0))
			fail_msg("\"%s\" is word %d", cases[i].line, s.word);
	}
}

static void gather(void *user, const char *text)
{
	buf_printf(user, "[%s]", text);
}

static void lines_come_whole_however_the_bytes_do(void **state)
{
	static const struct {
		const char *bytes, *want;
	} cases[] = {
		{ "", "" },
		{ "a", "[a]" },
		{ "a\n", "[a]" },
		{ "a\nb", "[a][b]" },
		{ "\n\n", "[][]" },
		{ "a\r\nb\tc\n", "[a][b c]" },
		{ "\x1b[31mred\x7f\xc3\xa9\n", "[?[31mred???]" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (size_t step = 1; step <= 8; step += 7) {
			struct script_lines lines = { .length = 0 };
			struct buf got = buf_init(1024);
			size_t size = strlen(cases[i].bytes);

			for (size_t at = 0; at < size; at += step)
				script_lines_take(&lines, cases[i].bytes + at,
						  size - at < step ? size - at : step, gather,
						  &got);
			script_lines_end(&lines, gather, &got);
			assert_string_equal(buf_text(&got), cases[i].want);
			buf_free(&got);
		}
}

static void a_line_without_end_is_cut_and_says_so(void **state)
{
	struct script_lines lines = { .length = 0 };
	struct buf got = buf_init(4096);
	char much[3 * SCRIPT_LINE_MAX];

	(void)state;
	memset(much, 'x', sizeof much);
	script_lines_take(&lines, much, sizeof much, gather, &got);
	script_lines_take(&lines, "\nnext\n", 6, gather, &got);
	assert_int_equal(got.len, SCRIPT_LINE_MAX + strlen("[...][next]"));
	assert_string_equal(buf_text(&got) + got.len - strlen("x...][next]"), "x...][next]");
	buf_free(&got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_announcement_is_understood_or_called_nonsense),
		cmocka_unit_test(lines_come_whole_however_the_bytes_do),
		cmocka_unit_test(a_line_without_end_is_cut_and_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
