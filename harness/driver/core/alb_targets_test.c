#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "driver/core/alb_targets.h"

static int read_states(const char *const *states, int count, struct alb_target *out,
		       struct err *err)
{
	struct buf xml = buf_init(1 << 20);
	struct flat f;
	int n;

	buf_puts(&xml, "<r><TargetHealthDescriptions>");
	for (int i = 0; i < count; i++)
		buf_printf(
			&xml,
			"<member><Target><Id>10.0.0.%d</Id><Port>80</Port></Target><TargetHealth>%s</TargetHealth></member>",
			count - i, states ? states[i] : "<State>healthy</State>");
	buf_puts(&xml, "</TargetHealthDescriptions></r>");
	assert_int_equal(flat_parse(xml.data, xml.len, &f, NULL), 0);
	n = alb_targets_read(&f, out, err);
	flat_free(&f);
	buf_free(&xml);
	return n;
}

static void states_say_who_is_registered_and_who_is_healthy(void **state)
{
	static const char *const states[] = {
		"<State>healthy</State>",
		"<State>unused</State><Reason>Target.NotInUse</Reason>",
		"<State>unused</State><Reason>Target.NotRegistered</Reason>",
		"<State>draining</State><Reason>Target.DeregistrationInProgress</Reason>",
		"<State>unhealthy</State><Reason>Target.Timeout</Reason>",
		"<State>initial</State><Reason>Elb.RegistrationInProgress</Reason>",
	};
	struct alb_target target[ALB_TARGETS_MAX];
	struct buf line = buf_init(4096);

	(void)state;
	assert_int_equal(read_states(states, 6, target, NULL), 6);
	alb_targets_write(target, 6, &line); /* sorted; 10.0.0.6 is the first state */
	assert_string_equal(buf_text(&line), "10.0.0.1:80,10.0.0.2:80,10.0.0.5:80,10.0.0.6:80");
	for (int i = 0; i < 6; i++)
		assert_int_equal(target[i].healthy, !strcmp(target[i].id, "10.0.0.6"));
	buf_free(&line);
}

static void many_targets_are_told_short_and_still_comparable(void **state)
{
	struct alb_target target[ALB_TARGETS_MAX];
	struct buf a = buf_init(4096), b = buf_init(4096);
	struct err err = { .kind = ERR_NONE };

	(void)state;
	assert_int_equal(read_states(NULL, 100, target, NULL), 100);
	alb_targets_write(target, 100, &a);
	target[7].id[0] = '2';
	alb_targets_write(target, 100, &b);
	assert_memory_equal(buf_text(&a), "100/", 4);
	assert_int_equal(a.len, 4 + 16);
	assert_string_not_equal(buf_text(&a), buf_text(&b));
	assert_int_equal(read_states(NULL, ALB_TARGETS_MAX + 1, target, &err), -1);
	assert_string_equal(err.text, "more than 256 targets");
	buf_free(&a);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_say_who_is_registered_and_who_is_healthy),
		cmocka_unit_test(many_targets_are_told_short_and_still_comparable),
	};

	return cmocka_run_group_tests_name("driver/core/alb_targets", tests, NULL, NULL);
}
