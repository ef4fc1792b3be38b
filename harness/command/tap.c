/* The tap alone, before any Redis. */
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
#include "net/tls_tunnel.h"
#include "tap/redis_tap.h"

static const int64_t lane_every_ns = 50 * NS_PER_MS;
static const char tls_scheme[] = "rediss://";

static int run(int argc, char **argv);

const struct command command_tap = {
	.name = "tap",
	.usage =
		"--upstream HOST:PORT|unix:PATH|rediss://HOST:PORT [--listen HOST:PORT|unix:PATH] ...",
	.about = "the Redis tap alone, before any Redis: commands timed, told apart, recorded",
	.help = "  --upstream ADDRESS    the Redis behind it: HOST:PORT or unix:PATH, or rediss://HOST:PORT\n"
		"                        with TLS; clients of the tap speak without\n"
		"  --upstream-ca FILE    the only issuers trusted (those of the system)\n"
		"  --upstream-cert FILE  a certificate of our own to show, with --upstream-key FILE\n"
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
	{ .name = "--upstream-cert", .takes_value = true },
	{ .name = "--upstream-key", .takes_value = true },
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
	struct tls_tunnels *tls; /* NULL: Redis is spoken to without */
	char host[256];		 /* of the Redis that speaks TLS */
	struct loop_timer *ticker;
	uint32_t told_notes; /* of failures of TLS: the last one told */
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

/* Once is enough: it will not change from connection to connection. */
static void on_tls_failed(void *user, const char *reason)
{
	struct alone *a = user;
	struct event e = event_make(EVENT_LIMIT, clock_now_ns());

	e.conn = lane_note(a->lane, "tap: agents are cut off: %s: %s",
			   flags_get(a->flags, "--upstream"), reason);
	if (e.conn > a->told_notes)
		lane_event(a->lane, e);
	a->told_notes = e.conn > a->told_notes ? e.conn : a->told_notes;
}

/* rediss://HOST:PORT: which of it is the host, and that Redis is there, and is who it says. */
static int reach_by_tls(struct alone *a, const char *url, struct tls_tunnels_spec *spec,
			struct err *err)
{
	const char *address = url + strlen(tls_scheme), *colon = strrchr(address, ':');

	if (strpbrk(address, "/@?#"))
		return err_set(err, ERR_INPUT, "tap: --upstream: not rediss://HOST:PORT");
	*spec = (struct tls_tunnels_spec){ .host = a->host,
					   .ca_file = flags_get(a->flags, "--upstream-ca"),
					   .certificate_file = flags_get(a->flags,
									 "--upstream-cert"),
					   .key_file = flags_get(a->flags, "--upstream-key"),
					   .shaken_within_ns = 10 * NS_PER_S,
					   .failed = on_tls_failed,
					   .user = a };
	if (!spec->certificate_file != !spec->key_file)
		return err_set(err, ERR_INPUT,
			       "tap: --upstream-cert and --upstream-key come together");
	if (address_parse(address, false, &spec->server, err) < 0)
		return err_context(err, "tap: --upstream");
	snprintf(a->host, sizeof a->host, "%.*s", (int)(colon - address), address);
	if (tls_tunnel_try(a->loop, spec, "PING\r\n", 5 * NS_PER_S, err) < 0)
		return err_context(err, "redis %s", url);
	return tls_tunnels_new(a->loop, spec, &a->tls, err);
}

static int reach(struct alone *a, const char *upstream, struct address *ret, struct err *err)
{
	struct tls_tunnels_spec spec;
	struct redis *redis;

	if (!strncmp(upstream, tls_scheme, strlen(tls_scheme))) {
		if (reach_by_tls(a, upstream, &spec, err) < 0)
			return -1;
		*ret = spec.server;
		return 0;
	}
	if (flags_get(a->flags, "--upstream-ca") || flags_get(a->flags, "--upstream-cert") ||
	    flags_get(a->flags, "--upstream-key"))
		return err_set(err, ERR_INPUT, "tap: --upstream %s: only a rediss:// one has TLS",
			       upstream);
	if (address_parse(upstream, false, ret, err) < 0)
		return err_context(err, "tap: --upstream");
	if (redis_open(upstream, 5 * NS_PER_S, &redis, err) < 0)
		return -1;
	redis_close(redis);
	return 0;
}

static int open_tap(struct alone *a, struct err *err)
{
	const char *key = flags_get(a->flags, "--key"),
		   *upstream = flags_get(a->flags, "--upstream");
	const char *const *levers = NULL;
	size_t count = flags_all(a->flags, "--lever", &levers);
	struct address at;

	if (!upstream)
		return err_set(err, ERR_INPUT, "tap: --upstream is needed: where Redis is");
	if (reach(a, upstream, &at, err) < 0)
		return -1;
	if (open_record(a, err) < 0 ||
	    redis_tap_new(a->loop, a->lane, key ? key : "call:${call}", &at, &a->tap, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (redis_tap_lever(a->tap, levers[i], err) < 0)
			return -1;
	if (a->tls)
		redis_tap_through(a->tap, a->tls);
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
	tls_tunnels_free(a.tls);
	if (lane_close(a.lane, result ? NULL : &err) < 0)
		result = -1;
	if (!result)
		result = tap_summary_print(a.dir, stdout, &err);
	loop_free(a.loop);
	flags_free(flags);
	return result < 0 ? command_fail(&err) : EXIT_PASS;
}
