/* The local stack alone, to play with: up, status, down. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "command/core/scenario_args.h"
#include "command/core/stack_status.h"
#include "command/core/stack_up.h"
#include "net/loop.h"
#include "scenario/duration.h"

static int run(int argc, char **argv);

const struct command command_stack = {
	.name = "stack",
	.usage = "up [SCENARIO] | status | down   [flags]",
	.about = "the local stack alone, to play with: up, status, down",
	.help = "up starts Redis, agents of both colors and an edge that behaves as an AWS ALB does, says where they\n"
		"are, and runs until Ctrl-C, SIGTERM or `stack down`. SCENARIO gives stack, timers and balancer; without\n"
		"one there are two agents a color, and everything is short enough to watch. It is run without a tap.\n"
		"\n"
		"  --dir DIR        what it says of itself, and logs (default runs/stack); one stack a folder.\n"
		"                   `. DIR/env` in a shell sets the endpoint, ARNs and addresses\n"
		"up:\n"
		"  --port N         of the edge, for callers (default: a free one)\n"
		"  --control-port N for the AWS CLI (default: a free one)\n"
		"  --verify         check signatures, by a key made for this stack; otherwise any will do\n" SCENARIO_FLAGS_HELP
		"status: processes, targets and their health, weights, active calls\n"
		"  --wait 30s       until all is well, at most this long\n"
		"  --out json=FILE  FILE - is standard output\n"
		"down:\n"
		"  --timeout 15s    before it is killed\n"
		"\n"
		"Exit code of status: 0 all is well, 98 something is not, 104 there is none.\n"
		"\n"
		"example: crossfade stack up --port 8080 &\n"
		"example: crossfade stack status --wait 30s && . runs/stack/env && crossfade ping \"$WS_URL\"\n",
	.run = run,
};

static const struct flag table[] = {
	SCENARIO_FLAGS,
	{ .name = "--dir", .takes_value = true, .env = "CROSSFADE_STACK_DIR" },
	{ .name = "--port", .takes_value = true },
	{ .name = "--control-port", .takes_value = true },
	{ .name = "--verify" },
	{ .name = "--wait", .takes_value = true },
	{ .name = "--timeout", .takes_value = true },
	{ .name = "--out", .takes_value = true },
};

/* What runs when nobody says otherwise. Short timers, so that each can be watched; cookies that
 * live for two seconds, so that a cutover is over soon. */
static const char built_in[] =
	"# What `crossfade stack up` runs without a scenario. Copy it, change it, and give it to stack up.\n"
	"name: stack\n"
	"about: The local stack alone.\n"
	"seed: 1\n"
	"stack: { kind: local, instances: 2, think: 30ms, redis: single }\n"
	"target: { url: \"ws://${alb}/realtime/${call}\", wire: plain }\n"
	"state: { redis: \"${redis}\", key: \"call:${call}\", ttl: 30m, tap: off }\n"
	"balancer: { driver: alb, path: \"/realtime/*\" }\n"
	"timers: { stickiness: 2s, deregistration_delay: 20s, idle: 60s, longest_call: 12s, propagation: 1s,\n"
	"          dead_after: 5s, setup_within: 5s }\n"
	"calls:\n"
	"  live: 10\n"
	"  ramp: 2s\n"
	"  hold: { lognormal: { mean: 6s, sigma: 0.6 }, min: 3s, max: 12s }\n"
	"  turn: { every: 1s }\n"
	"  profiles: { bridge: { share: 100% } }\n"
	"cutover:\n"
	"  - steady: { for: 1s }\n"
	"gates:\n"
	"  dropped_calls: [ \"count == 0\" ]\n";

static const char *dir_of(const struct flags *flags)
{
	const char *dir = flags_get(flags, "--dir");

	return dir ? dir : "runs/stack";
}

static int duration_of(const struct flags *flags, const char *flag, int64_t otherwise_ns,
		       int64_t *ret_ns, struct err *err)
{
	const char *text = flags_get(flags, flag);

	*ret_ns = otherwise_ns;
	if (text && duration_parse(text, ret_ns, err) < 0)
		return err_context(err, "stack: %s %s", flag, text);
	return 0;
}

/* ---- up ---- */

static int port_of(const struct flags *flags, const char *flag, uint16_t *ret, struct err *err)
{
	const char *text = flags_get(flags, flag);
	char *end;
	long port = text ? strtol(text, &end, 10) : 0;

	if (text && (end == text || *end || port < 1 || port > 65535))
		return err_set(err, ERR_INPUT, "stack: %s %s: a port from 1 to 65535", flag, text);
	*ret = (uint16_t)port;
	return 0;
}

static int write_built_in(const char *path, struct err *err)
{
	FILE *file = fopen(path, "we");
	int result = 0;

	if (!file || fputs(built_in, file) < 0)
		result = err_errno(err, ERR_INPUT, errno, "write %s", path);
	if (file && fclose(file) && !result)
		result = err_errno(err, ERR_INPUT, errno, "write %s", path);
	return result;
}

/* The words of a scenario may be wrong: told before anything is started. */
static int load(const struct flags *flags, const char *dir, struct scenario **ret, struct err *err)
{
	const char *given = flags_positional(flags, 0); /* the word after "up" */
	char *path = given ? xstrdup(given) : xasprintf("%s/scenario.yaml", dir);
	int result = given ? 0 : write_built_in(path, err);

	if (!result)
		result = scenario_args_load_file(flags, path, ret, NULL, err);
	free(path);
	if (result < 0)
		return -1;
	if ((*ret)->stack.kind != STACK_LOCAL)
		return err_set(err, ERR_INPUT, "%s: stack: none: there is nothing to start",
			       (*ret)->path);
	(*ret)->state.tap = false;
	return 0;
}

static void tell_stale(const char *dir)
{
	struct stack_facts facts;

	if (stack_facts_read(dir, &facts, NULL) == 1)
		printf("The stack of pid %d, up since %s, was killed: its files are replaced.\n",
		       (int)facts.up.pid, facts.since);
	stack_dir_clear(dir);
}

static int up(const struct flags *flags, struct err *err)
{
	struct stack_dir dir = { .lock = -1 };
	struct stack_wish wish = { .dir = &dir, .verify = flags_get(flags, "--verify") };
	struct scenario *scenario = NULL;
	int code = EXIT_PASS;

	if (port_of(flags, "--port", &wish.port, err) < 0 ||
	    port_of(flags, "--control-port", &wish.control_port, err) < 0 ||
	    stack_dir_take(dir_of(flags), &dir, err) < 0 ||
	    load(flags, dir.path, &scenario, err) < 0) {
		code = command_fail(err);
	} else {
		tell_stale(dir.path);
		wish.scenario = scenario;
		if (stack_up(&wish, err) < 0)
			code = command_fail(err);
	}
	stack_dir_leave(&dir);
	scenario_free(scenario);
	return code;
}

/* ---- status ---- */

static void tick(void *user)
{
	(void)user;
}

/* Again and again until all is well or the time is over. */
static int look_until_up(const char *dir, int64_t wait_ns, struct stack_status *ret,
			 struct err *err)
{
	int64_t end_ns = clock_now_ns() + wait_ns;
	struct loop *loop = loop_new();
	struct loop_timer *timer = loop_timer_new(loop, tick, NULL);
	int result;

	while ((result = stack_look(dir, ret, err)) == 0 && ret->state != STACK_UP &&
	       clock_now_ns() < end_ns) {
		stack_status_free(ret);
		loop_timer_at(timer, clock_now_ns() + 100 * NS_PER_MS);
		loop_run_once(loop);
	}
	loop_timer_free(timer);
	loop_free(loop);
	return result;
}

static int write_json(const char *dir, const struct stack_status *s, const char *file,
		      struct err *err)
{
	bool standard = !strcmp(file, "-");
	FILE *out = standard ? stdout : fopen(file, "we");
	struct buf json = buf_init(1 << 20);
	int result = 0;

	if (!out)
		return err_errno(err, ERR_INPUT, errno, "--out %s", file);
	stack_status_json(dir, s, &json);
	fputs(buf_text(&json), out);
	if (!standard && fclose(out))
		result = err_errno(err, ERR_HARNESS, errno, "--out %s", file);
	buf_free(&json);
	return result;
}

static int status(const struct flags *flags, struct err *err)
{
	const char *out = flags_get(flags, "--out"), *dir = dir_of(flags);
	struct buf text = buf_init(1 << 20);
	struct stack_status s;
	int64_t wait_ns;
	int code;

	if (out && (strncmp(out, "json=", 5) != 0 || !out[5]))
		err_set(err, ERR_INPUT, "stack: --out %s: write json=FILE", out);
	if (err->kind || duration_of(flags, "--wait", 0, &wait_ns, err) < 0)
		return command_fail(err);
	if (look_until_up(dir, wait_ns, &s, err) < 0) {
		stack_status_free(&s);
		return command_fail(err);
	}
	code = stack_status_exit(&s);
	stack_status_text(dir, &s, &text);
	if (!out || strcmp(out, "json=-") != 0)
		fputs(buf_text(&text), code == EXIT_USAGE ? stderr : stdout);
	if (out && write_json(dir, &s, out + 5, err) < 0)
		code = command_fail(err);
	buf_free(&text);
	stack_status_free(&s);
	return code;
}

/* ---- down ---- */

/* Who was killed took its children along, each by the kernel's hand: soon, not at once. */
static bool members_left(const struct stack_facts *f, int64_t deadline_ns)
{
	bool left = false;

	for (size_t i = 0; i < f->member_count; i++) {
		int pidfd = other_process_open(&f->member[i].process);

		if (pidfd < 0)
			continue;
		left |= !other_process_wait(pidfd, deadline_ns);
		close(pidfd);
	}
	return left;
}

static int end(const char *dir, const struct stack_facts *f, int pidfd, int64_t grace_ns,
	       struct err *err)
{
	int64_t since_ns = clock_now_ns();
	bool killed;

	if (other_process_signal(pidfd, SIGTERM) < 0)
		return err_errno(err, ERR_INPUT, errno, "stack: SIGTERM to pid %d", (int)f->up.pid);
	killed = !other_process_wait(pidfd, since_ns + grace_ns);
	if (killed) {
		other_process_signal(pidfd, SIGKILL);
		other_process_wait(pidfd, clock_now_ns() + 5 * NS_PER_S);
	}
	if (members_left(f, clock_now_ns() + 5 * NS_PER_S))
		return err_set(err, ERR_HARNESS,
			       "%s: processes of the stack are left; stack status names them", dir);
	if (killed)
		stack_dir_clear(dir);
	printf("%s: the stack of pid %d %s after %.1f s\n", dir, (int)f->up.pid,
	       killed ? "did not end and was killed" : "has ended",
	       (double)(clock_now_ns() - since_ns) / NS_PER_S);
	return 0;
}

static int down(const struct flags *flags, struct err *err)
{
	const char *dir = dir_of(flags);
	struct stack_facts facts;
	int64_t grace_ns;
	int found, pidfd, result = 0;

	if (duration_of(flags, "--timeout", 15 * NS_PER_S, &grace_ns, err) < 0)
		return command_fail(err);
	found = stack_facts_read(dir, &facts, err);
	if (!found)
		err_set(err, ERR_INPUT, "%s: no stack is there", dir);
	if (found < 1)
		return command_fail(err);
	pidfd = other_process_open(&facts.up);
	if (pidfd >= 0) {
		result = end(dir, &facts, pidfd, grace_ns, err);
		close(pidfd);
	} else {
		stack_dir_clear(dir);
		printf("%s: the stack of pid %d, up since %s, was gone already; its files are removed\n",
		       dir, (int)facts.up.pid, facts.since);
	}
	return result < 0 ? command_fail(err) : EXIT_PASS;
}

/* ---- words ---- */

static const struct word {
	const char *name;
	int (*run)(const struct flags *, struct err *);
	size_t words_max;
} words[] = { { "up", up, 1 }, { "status", status, 0 }, { "down", down, 0 } };

static int unknown(const char *typed, struct err *err)
{
	const char *names[] = { "up", "status", "down" };
	const char *nearest = typed ? command_nearest(typed, names, 3) : NULL;

	if (!typed || *typed == '-')
		err_set(err, ERR_INPUT,
			"stack: up, status or down comes first; crossfade stack --help says more");
	else if (nearest)
		err_set(err, ERR_INPUT, "stack: no word \"%s\"; did you mean \"%s\"?", typed,
			nearest);
	else
		err_set(err, ERR_INPUT, "stack: no word \"%s\"; up, status or down", typed);
	return command_fail(err);
}

static int run(int argc, char **argv)
{
	const char *typed = argc > 1 ? argv[1] : NULL;
	bool help = typed && (!strcmp(typed, "--help") || !strcmp(typed, "-h"));
	struct err err = { .kind = ERR_NONE };
	const struct word *word = NULL;
	struct flags *flags;
	int parsed, code = EXIT_USAGE;

	for (size_t i = 0; typed && i < sizeof words / sizeof *words; i++)
		if (!strcmp(words[i].name, typed))
			word = &words[i];
	if (!word && !help)
		return unknown(typed, &err);
	/* The word is the command here: what follows it are its flags. */
	parsed = flags_parse(&command_stack, table, sizeof table / sizeof *table, argc - !help,
			     argv + !help, &flags);
	if (parsed)
		return parsed < 0 ? EXIT_USAGE : EXIT_PASS;
	if (flags_expect(&command_stack, flags, 0, word->words_max) == 0)
		code = word->run(flags, &err);
	flags_free(flags);
	return code;
}
