/* One real call, as the smoke test of any pipeline. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "command/core/ping_report.h"
#include "command/core/terminal.h"

static int run(int argc, char **argv);

const struct command command_ping = {
	.name = "ping",
	.usage = "URL [--color green] [flags]",
	.about = "smoke test of one real call: exit 0 or 99",
	.help = "URL is ws:// or wss://, and ends in / or has ${call} where the id of the call goes.\n"
		"\n"
		"  --color COLOR    blue or green: who must answer\n"
		"  --timeout 5s     all of it within this time\n"
		"  -H, --header 'NAME: VALUE'\n"
		"                   sent with the upgrade; repeatable. A test rule of the balancer takes the\n"
		"                   call to a color that has weight 0 still\n"
		"  --redis HOST:PORT\n"
		"                   look at the state there, too: turns, digest, time to live; then delete it\n"
		"  --key KEY        of the state (default call:${call})\n"
		"  --ttl 30m        its time to live\n"
		"  --no-resume      do not drop the leg and resume on a second one\n"
		"  --ca FILE        the issuers a wss certificate is verified with, instead of the system's\n"
		"  --wire plain     the dialect\n"
		"  --out TYPE=FILE  text or json; repeatable; FILE - is standard output\n"
		"  --no-color       plain text\n"
		"\n"
		"Says resolve, connect, tls, upgrade, ready, color, turn, state, resume, each with its time, and\n"
		"ends at the first that fails. Without --redis the state is what the agent tells of it.\n"
		"Exit code 0 when all are well, 99 when one is not, 97 our own fault, 104 usage, 105 interrupted.\n"
		"\n"
		"example: crossfade ping ws://green-1:8080/realtime/ --color green --redis redis:6379\n"
		"example: crossfade ping wss://voice.example.com/realtime/ -H 'X-Crossfade-Color: green' --color green\n",
	.run = run,
};

static const struct flag table[] = {
	PING_FLAGS,
	{ .name = "--out", .takes_value = true, .repeats = true, .env = "CROSSFADE_OUT" },
	{ .name = "--no-color", .env = "CROSSFADE_NO_COLOR" },
};

/* The file of "json=FILE"; NULL when the word is no such thing. */
static const char *out_file(const char *word, bool *ret_json)
{
	*ret_json = !strncmp(word, "json=", 5);
	return (*ret_json || !strncmp(word, "text=", 5)) && word[5] ? word + 5 : NULL;
}

static int check_outs(const struct flags *flags, struct err *err)
{
	const char *const *words = NULL;
	size_t count = flags_all(flags, "--out", &words);
	bool json;

	for (size_t i = 0; i < count; i++)
		if (!out_file(words[i], &json))
			return err_set(err, ERR_INPUT,
				       "ping: --out %s: write text=FILE or json=FILE", words[i]);
	return 0;
}

static int write_out(const char *file, const struct buf *text, struct err *err)
{
	bool standard = !strcmp(file, "-");
	FILE *out = standard ? stdout : fopen(file, "we");

	if (!out)
		return err_errno(err, ERR_INPUT, errno, "--out %s", file);
	fputs(buf_text(text), out);
	errno = 0;
	if ((standard ? fflush(out) : fclose(out)) != 0 && !standard)
		return err_errno(err, ERR_HARNESS, errno, "--out %s", file);
	return 0;
}

/* What was asked for, and the text unless something else has standard output. */
static int tell(const struct flags *flags, const struct ping_args *args,
		const struct ping_result *result, struct err *err)
{
	const char *const *words = NULL;
	size_t count = flags_all(flags, "--out", &words);
	bool taken = false, json;
	int bad = 0;

	for (size_t i = 0; i < count; i++) {
		const char *file = out_file(words[i], &json);
		struct buf text = buf_init(1 << 16);

		if (json)
			ping_json(args, result, &text);
		else
			ping_text(args, result, false, &text);
		taken |= !strcmp(file, "-");
		bad |= write_out(file, &text, bad ? NULL : err);
		buf_free(&text);
	}
	if (!taken) {
		struct buf text = buf_init(1 << 16);

		ping_text(args, result, terminal_color(flags), &text);
		fputs(buf_text(&text), stdout);
		buf_free(&text);
	}
	return bad;
}

static int ping(const struct flags *flags, struct err *err)
{
	struct ping_args args = { .header_count = 0 };
	struct ping_result result;
	sigset_t ends;
	int cancel, code;

	if (check_outs(flags, err) < 0 || ping_args_read(flags, &args, err) < 0) {
		ping_args_free(&args);
		return command_fail(err);
	}
	/* Told by a descriptor, so that an end from outside has its report, too. */
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	cancel = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
	if (cancel < 0) {
		err_errno(err, ERR_HARNESS, errno, "ping: signals");
		code = command_fail(err);
	} else {
		ping_call(&args, cancel, &result);
		code = result.exit_code;
		if (tell(flags, &args, &result, err) < 0)
			code = code == EXIT_PASS ? command_fail(err) : (command_fail(err), code);
		close(cancel);
	}
	ping_args_free(&args);
	return code;
}

static int run(int argc, char **argv)
{
	struct err err = { .kind = ERR_NONE };
	struct flags *flags;
	int code = EXIT_USAGE;
	int parsed = flags_parse(&command_ping, table, sizeof table / sizeof *table, argc, argv,
				 &flags);

	if (parsed)
		return parsed < 0 ? EXIT_USAGE : EXIT_PASS;
	if (flags_expect(&command_ping, flags, 1, 1) == 0)
		code = ping(flags, &err);
	flags_free(flags);
	return code;
}
