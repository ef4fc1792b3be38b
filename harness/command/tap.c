/* The tap alone, before any Redis. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "command/command.h"
#include "command/core/run_dir.h"
#include "command/core/tap_summary.h"
#include "net/redis.h"
#include "tap/redis_tap.h"

static const int64_t lane_every_ns = 50 * NS_PER_MS, look_within_ns = 5 * NS_PER_S;
static const char tls_scheme[] = "rediss://";

static int run(int argc, char **argv);

const struct command command_tap = {
	.name = "tap",
	.usage =
		"--upstream HOST:PORT|rediss://HOST:PORT|unix:PATH [--listen HOST:PORT|unix:PATH] ...",
	.about = "the Redis tap alone, before any Redis: commands timed, told apart, recorded",
	.help = "  --upstream ADDRESS    the Redis behind it: HOST:PORT or unix:PATH, or over TLS\n"
		"                        rediss://HOST:PORT, its certificate verified for HOST; agents\n"
		"                        speak to the tap without TLS either way\n"
		"  --upstream-ca FILE    the only issuers its certificate may have (the system's)\n"
		"  --listen ADDRESS      where clients connect to (127.0.0.1:0: any free port)\n"
		"  --instance NAME=COLOR=PORT  a door of its own for an instance; PORT may be an address\n"
		"  --key PATTERN         what a call's key looks like (call:${call})\n"
		"  --lever TEXT          a fault, from the first connection on, for example:\n"
		"                        'delay 50ms where color=blue verb=setex count=10'\n"
		"                        'error OOM where class=write share=10% seed=7'\n"
		"                        'hold 2s'  'cut where call=c-*'  'swallow where count=1'\n"
		"  --dir DIR             where the record goes (runs/tap/UTC-PID), about 130 bytes a\n"
		"                        command: verbs, times, calls; never a value or a password\n"
		"\n"
		"Runs until Ctrl-C, then sums up from the record. Clients of that Redis that did not\n"
		"come through the tap are told, unless their name begins with crossfade-.\n"
		"\n"
		"example: crossfade tap --listen 127.0.0.1:7000 --upstream 127.0.0.1:6379\n",
	.run = run,
};

static const struct flag table[] = {
	{ .name = "--upstream", .takes_value = true },
	{ .name = "--upstream-ca", .takes_value = true },
	{ .name = "--listen", .takes_value = true },
	{ .name = "--instance", .takes_value = true, .repeats = true },
	{ .name = "--key", .takes_value = true },
	{ .name = "--lever", .takes_value = true, .repeats = true },
	{ .name = "--dir", .takes_value = true },
};

struct alone {
	const struct flags *flags;
	struct loop *loop;
	struct lane *lane;
	struct redis_tap *tap;
	struct loop_timer *ticker;
	char dir[3072];
};

static void on_tick(void *user)
{
	struct alone *a = user;
	int64_t now_ns = clock_now_ns();

	lane_tick(a->lane, now_ns);
	if (lane_broken(a->lane))
		loop_stop(a->loop);
	loop_timer_at(a->ticker, now_ns + lane_every_ns);
}

static void on_signal(void *user)
{
	struct alone *a = user;

	loop_stop(a->loop);
}

static int open_record(struct alone *a, struct err *err)
{
	struct lane_identity identity = { .role = ROLE_TAP };
	const char *chosen = flags_get(a->flags, "--dir");
	time_t now = (time_t)(clock_realtime_ns() / NS_PER_S);
	struct tm utc;

	gmtime_r(&now, &utc);
	strftime(identity.run, sizeof identity.run - 16, "tap-%Y%m%dT%H%M%SZ", &utc);
	snprintf(identity.run + strlen(identity.run), 16, "-%d", (int)getpid());
	if (chosen)
		snprintf(a->dir, sizeof a->dir, "%s", chosen);
	else
		snprintf(a->dir, sizeof a->dir, "runs/tap/%s", identity.run + strlen("tap-"));
	if (folder_make(a->dir, err) < 0)
		return err_context(err, "tap: --dir %s", a->dir);
	return lane_open(a->dir, &identity, &a->lane, err);
}

static int open_door(struct alone *a, const char *name, enum color color, const char *where,
		     struct err *err)
{
	char text[ADDRESS_TEXT_MAX];
	struct address at;

	if (strspn(where, "0123456789") == strlen(where))
		snprintf(text, sizeof text, "127.0.0.1:%s", where);
	else
		snprintf(text, sizeof text, "%s", where);
	if (address_parse(text, true, &at, err) < 0 ||
	    redis_tap_listen(a->tap, 0, name, color, &at, err) < 0)
		return -1;
	address_text(&at, text);
	printf("door    %s  for %s, %s\n", text, name, color_name(color));
	return 0;
}

/* NAME=COLOR=PORT */
static int open_instance(struct alone *a, const char *text, struct err *err)
{
	const char *color_at = strchr(text, '='),
		   *port_at = color_at ? strchr(color_at + 1, '=') : NULL;
	char name[64], word[16];
	int color;

	if (!port_at || color_at == text || (size_t)(color_at - text) >= sizeof name ||
	    (size_t)(port_at - color_at) > sizeof word || !port_at[1])
		return err_set(err, ERR_INPUT, "tap: --instance %s: not NAME=COLOR=PORT", text);
	snprintf(name, sizeof name, "%.*s", (int)(color_at - text), text);
	snprintf(word, sizeof word, "%.*s", (int)(port_at - color_at - 1), color_at + 1);
	color = color_parse(word);
	if (color < 0)
		return err_set(err, ERR_INPUT,
			       "tap: --instance %s: %s is not blue, green or unknown", text, word);
	return open_door(a, name, (enum color)color, port_at + 1, err);
}

static int open_doors(struct alone *a, struct err *err)
{
	const char *const *instances = NULL, *listen = flags_get(a->flags, "--listen");
	size_t count = flags_all(a->flags, "--instance", &instances);

	if ((listen || !count) &&
	    open_door(a, "agents", COLOR_UNKNOWN, listen ? listen : "127.0.0.1:0", err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (open_instance(a, instances[i], err) < 0)
			return -1;
	return 0;
}

/* One handshake, before anybody is let in; *ret_tls is then what made it. */
static int look_through_tls(const char *text, const char *ca_file, struct address *ret,
			    struct tls_client **ret_tls, struct err *err)
{
	const char *colon = strrchr(text, ':');
	struct tls_client *tls;
	struct tls_end *end;
	char host[256];
	int fd, result;

	if (strchr(text, '@')) /* not repeated: what is before it may be a password */
		return err_set(err, ERR_INPUT, "rediss://...@...: only HOST:PORT; agents log in");
	if (!strncmp(text, "unix:", 5) || !colon || (size_t)(colon - text) >= sizeof host)
		return err_set(err, ERR_INPUT, "rediss://%s: not HOST:PORT", text);
	snprintf(host, sizeof host, "%.*s", (int)(colon - text), text);
	if (address_parse(text, false, ret, err) < 0 ||
	    tls_client_new(host, ca_file, &tls, err) < 0)
		return -1;
	fd = address_connect(ret);
	if (fd < 0) {
		tls_client_free(tls);
		return err_errno(err, ERR_WORLD, errno, "rediss://%s: connect", text);
	}
	end = tls_end_new(tls, fd, clock_now_ns() + look_within_ns);
	result = tls_end_shake_now(end, err);
	tls_end_free(end);
	close(fd);
	if (result < 0) {
		tls_client_free(tls);
		return err_context(err, "rediss://%s", text);
	}
	*ret_tls = tls;
	return 0;
}

/* *ret_tls: untouched without TLS. */
static int look_upstream(struct alone *a, struct address *ret, struct tls_client **ret_tls,
			 struct err *err)
{
	const char *upstream = flags_get(a->flags, "--upstream"),
		   *ca_file = flags_get(a->flags, "--upstream-ca");
	struct redis *redis;

	if (!upstream)
		return err_set(err, ERR_INPUT, "tap: --upstream is needed: where Redis is");
	if (!strncmp(upstream, tls_scheme, strlen(tls_scheme))) {
		if (look_through_tls(upstream + strlen(tls_scheme), ca_file, ret, ret_tls, err) < 0)
			return err_context(err, "tap: --upstream");
		return 0;
	}
	if (ca_file)
		return err_set(
			err, ERR_INPUT,
			"tap: --upstream-ca %s: --upstream %s is without TLS; rediss://HOST:PORT is with it",
			ca_file, upstream);
	if (address_parse(upstream, false, ret, err) < 0)
		return err_context(err, "tap: --upstream");
	if (redis_open(upstream, look_within_ns, &redis, err) < 0)
		return -1;
	redis_close(redis);
	return 0;
}

static int open_tap(struct alone *a, struct err *err)
{
	const char *key = flags_get(a->flags, "--key");
	const char *const *levers = NULL;
	size_t count = flags_all(a->flags, "--lever", &levers);
	struct tls_client *tls = NULL;
	struct address at;

	if (look_upstream(a, &at, &tls, err) < 0)
		return -1;
	if (open_record(a, err) < 0 ||
	    redis_tap_new(a->loop, a->lane, key ? key : "call:${call}", &at, &a->tap, err) < 0) {
		tls_client_free(tls);
		return -1;
	}
	redis_tap_secure(a->tap, tls);
	for (size_t i = 0; i < count; i++)
		if (redis_tap_lever(a->tap, levers[i], err) < 0)
			return -1;
	redis_tap_watch(a->tap);
	return open_doors(a, err);
}

static void serve(struct alone *a)
{
	struct loop_signal *interrupt = loop_signal_new(a->loop, SIGINT, on_signal, a);
	struct loop_signal *terminate = loop_signal_new(a->loop, SIGTERM, on_signal, a);

	a->ticker = loop_timer_new(a->loop, on_tick, a);
	on_tick(a);
	printf("redis   %s\nrecord  %s; Ctrl-C ends it and sums up\n",
	       flags_get(a->flags, "--upstream"), a->dir);
	fflush(stdout);
	loop_run(a->loop);
	loop_timer_free(a->ticker);
	loop_signal_free(interrupt);
	loop_signal_free(terminate);
}

static int run(int argc, char **argv)
{
	struct alone a = { .loop = NULL };
	struct err err = { .kind = ERR_NONE };
	struct flags *flags;
	int result, parsed = flags_parse(&command_tap, table, sizeof table / sizeof *table, argc,
					 argv, &flags);

	if (parsed)
		return parsed < 0 ? EXIT_USAGE : EXIT_PASS;
	if (flags_expect(&command_tap, flags, 0, 0) < 0) {
		flags_free(flags);
		return EXIT_USAGE;
	}
	a.flags = flags;
	a.loop = loop_new();
	result = open_tap(&a, &err);
	if (!result)
		serve(&a);
	redis_tap_free(a.tap);
	if (lane_close(a.lane, result ? NULL : &err) < 0)
		result = -1;
	if (!result)
		result = tap_summary_print(a.dir, stdout, &err);
	loop_free(a.loop);
	flags_free(flags);
	return result < 0 ? command_fail(&err) : EXIT_PASS;
}
