#include "command/core/child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "base/clock.h"
#include "net/process.h"

static const int64_t bind_within_ns = 60 * NS_PER_S;

int child_main(const char *word, const struct flag *table, size_t count, int argc, char **argv,
	       int (*work)(const struct child *, struct err *))
{
	struct control_message failed = control_make(CONTROL_FAILED, 0, 0);
	struct err err = { .kind = ERR_NONE };
	struct scenario *scenario = NULL;
	struct flags *flags;
	struct child child;
	char path[4096];
	int result;

	if (flags_parse(command_find(word), table, count, argc, argv, &flags))
		return EXIT_USAGE;
	for (size_t i = 0; i < count; i++)
		if (!table[i].optional && !flags_get(flags, table[i].name)) {
			flags_free(flags);
			return EXIT_USAGE;
		}
	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	child = (struct child){ .dir = flags_get(flags, "--dir"), .flags = flags };
	snprintf(path, sizeof(path), "%s/scenario.yaml", child.dir);
	result = scenario_load(&(struct scenario_source){ .path = path }, &scenario, NULL, &err);
	child.scenario = scenario;
	if (!result)
		result = work(&child, &err);
	if (result < 0) {
		failed.a = err.kind;
		control_text(&failed, "%s", err.text);
		control_send(PROCESS_CONTROL_FD, &failed);
		result = command_fail(&err);
	}
	scenario_free(scenario);
	flags_free(flags);
	return result;
}

int child_await_bind(const char *word, struct control_message *ret, struct err *err)
{
	int n = control_wait(PROCESS_CONTROL_FD, clock_now_ns() + bind_within_ns, ret);

	if (n == 0 || (n > 0 && ret->type == CONTROL_ABORT))
		return 0;
	if (n < 0)
		return err_errno(err, ERR_HARNESS, errno, "%s: no addresses from the supervisor",
				 word);
	if (ret->type != CONTROL_BIND)
		return err_set(err, ERR_HARNESS, "%s: message %u came before the addresses", word,
			       ret->type);
	return 1;
}
