#include "check/core/golden.h"
#include "check/core/table.h"

struct entry {
	uint64_t id;
};

static void an_entry_stays_where_it_is_while_others_come_and_go(void **state)
{
	struct table t;
	struct entry *first;

	(void)state;
	table_init(&t, sizeof(struct entry));
	first = table_add(&t, 1);
	first->id = 1;
	for (uint64_t id = 2; id <= 5000; id++)
		((struct entry *)table_add(&t, id))->id = id;
	/* Every third goes: each of the others must still be found past the holes. */
	for (uint64_t id = 3; id <= 5000; id += 3)
		table_remove(&t, id);
	for (uint64_t id = 1; id <= 5000; id++) {
		struct entry *e = table_find(&t, id);
		if (id % 3)
			assert_int_equal(e ? e->id : 0, id);
		else
			assert_null(e);
	}
	assert_ptr_equal(table_find(&t, 1), first);
	table_free(&t);
}

static void a_removed_entry_is_used_again_and_comes_back_zeroed(void **state)
{
	struct table t;
	struct entry *old, *again;

	(void)state;
	table_init(&t, sizeof(struct entry));
	old = table_add(&t, 7);
	old->id = 7;
	table_remove(&t, 7);
	table_remove(&t, 7);
	again = table_add(&t, 8);
	assert_ptr_equal(again, old);
	assert_int_equal(again->id, 0);
	assert_int_equal(t.slab_count, 1);
	table_free(&t);
}

static void each_visits_every_entry_once(void **state)
{
	struct table t;
	struct entry *e;
	size_t cursor = 0;
	uint64_t sum = 0;

	(void)state;
	table_init(&t, sizeof(struct entry));
	for (uint64_t id = 1; id <= 100; id++)
		((struct entry *)table_add(&t, id))->id = id;
	while ((e = table_each(&t, &cursor)))
		sum += e->id;
	assert_int_equal(sum, 5050);
	table_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_stays_where_it_is_while_others_come_and_go),
		cmocka_unit_test(a_removed_entry_is_used_again_and_comes_back_zeroed),
		cmocka_unit_test(each_visits_every_entry_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
