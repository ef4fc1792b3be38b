#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/rng.h"
#include "tap/inspector.h"

#define STATE(n) "{\"turns\":" #n ",\"digest\":\"00000000000000f" #n "\"}"

/* What was told, as text: "inv GET c-1 @1; ok GET n=3 1..4;" */
struct heard {
	struct inspector inspector;
	struct key_pattern pattern;
	char text[8192];
	unsigned invs, ends;
};

static void add(struct heard *h, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(struct heard *h, const char *fmt, ...)
{
	size_t n = strlen(h->text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(h->text + n, sizeof h->text - n, fmt, ap);
	va_end(ap);
}

static void on_event(void *user, const struct event *e, const char *id)
{
	struct heard *h = user;

	h->invs += e->kind == EVENT_CMD_INV;
	h->ends += e->kind != EVENT_CMD_INV;
	assert_int_equal(e->conn, 5);
	assert_int_equal(e->instance, 2);
	assert_int_equal(!id || hash_id(id, strlen(id)) == e->call, true);
	add(h, "%s %s", event_kind_name(e->kind) + 4, verb_name(e->code));
	if (id)
		add(h, " %s", id);
	if (e->flags & CMD_PROBE)
		add(h, " probe");
	if (e->aux && e->kind == EVENT_CMD_ERR)
		add(h, " %s", redis_error_name(e->aux));
	else if (e->aux)
		add(h, " ttl=%u", e->aux);
	if (e->flags & CMD_HAS_STATE)
		add(h, " n=%u", e->n);
	if (e->flags & CMD_NIL)
		add(h, " nil");
	if (e->kind == EVENT_CMD_INV)
		add(h, " @%d; ", (int)e->t_ns);
	else
		add(h, " %d..%d; ", (int)e->due_ns, (int)e->t_ns);
}

static void on_blind(void *user, const char *why)
{
	add(user, "blind: %s; ", why);
}

static const struct inspector_listener listener = { .event = on_event, .blind = on_blind };

static void listen_in(struct heard *h)
{
	memset(h, 0, sizeof *h);
	assert_int_equal(key_pattern_init(&h->pattern, "call:${call}"), 0);
	inspector_init(&h->inspector, &listener, h, &h->pattern);
	h->inspector.conn = 5;
	h->inspector.instance = 2;
}

static void stop_listening(struct heard *h)
{
	inspector_free(&h->inspector);
	key_pattern_free(&h->pattern);
}

/* '>' bytes of the agent, '<' of Redis; each at the time of its place, from 1. An 'x' ends the
 * connection. */
static void play(struct heard *h, const char *const *script)
{
	for (int64_t now_ns = 1; *script; script++, now_ns++) {
		const char *bytes = *script + 1;

		if (**script == '>')
			inspector_commands(&h->inspector, bytes, strlen(bytes), now_ns);
		else if (**script == '<')
			inspector_replies(&h->inspector, bytes, strlen(bytes), now_ns);
		else
			add(h, "left %zu", inspector_end(&h->inspector, now_ns));
	}
}

static const struct {
	const char *script[10];
	const char *told;
} plays[] = {
	/* a turn */
	{ { ">*2\r\n$3\r\nGET\r\n$8\r\ncall:c-1\r\n", "<$39\r\n" STATE(3) "\r\n" },
	  "inv get c-1 @1; ok get n=3 1..2; " },
	{ { ">SETEX call:c-1 1800 " STATE(4) "\r\n", "<+OK\r\n" },
	  "inv setex c-1 ttl=1800 n=4 @1; ok setex ttl=1800 n=4 1..2; " },
	/* first byte and last byte count */
	{ { ">*2\r\n$3\r\nGE", ">T\r\n$8\r\ncall:c-1\r", ">\n", "<$3", "<9\r\n" STATE(3), "<\r\n" },
	  "inv get c-1 @1; ok get n=3 1..6; " },
	/* pipelined */
	{ { ">GET call:c-1\r\nGET call:p-2\r\nPI", ">NG\r\n", "<$-1\r\n$1\r\nx\r\n", "<+PONG\r\n" },
	  "inv get c-1 @1; inv get p-2 probe @1; inv ping @1; ok get nil 1..3; ok get probe 1..3; ok ping 1..4; " },
	/* refused, of unknown effect */
	{ { ">SET call:c-1 x\r\n", "<-READONLY You can't write\r\n" },
	  "inv set c-1 @1; err set readonly 1..2; " },
	{ { ">EVAL s 1 call:c-1\r\n", "<-ERR in script\r\n" },
	  "inv eval c-1 @1; info eval 1..2; " },
	{ { ">SETEX call:c-1 9 " STATE(1) "\r\n", "x" },
	  "inv setex c-1 ttl=9 n=1 @1; info setex ttl=9 n=1 1..2; left 1" },
	/* a transaction is told by EXEC */
	{ { ">MULTI\r\nSETEX call:c-1 9 " STATE(2) "\r\nGET call:c-1\r\nEXEC\r\n",
	    "<+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n", "<$39\r\n" STATE(2) "\r\n" },
	  "inv multi @1; inv setex c-1 ttl=9 n=2 @1; inv get c-1 @1; inv exec @1; ok multi 1..2; ok setex ttl=9 n=2 1..2; ok get n=2 1..3; ok exec 1..3; " },
	{ { ">MULTI\r\nSET call:c-1 x\r\nLPUSH call:c-1 x\r\nGET call:c-2\r\nEXEC\r\nPING\r\n",
	    "<+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n+OK\r\n-WRONGTYPE x\r\n*1\r\n$-1\r\n+PONG\r\n" },
	  "inv multi @1; inv set c-1 @1; inv lpush c-1 @1; inv get c-2 @1; inv exec @1; inv ping @1; ok multi 1..2; ok set 1..2; err lpush wrongtype 1..2; ok get 1..2; ok exec 1..2; ok ping 1..2; " },
	{ { ">MULTI\r\nSET call:c-1 x\r\n", "<+OK\r\n+QUEUED\r\n", ">EXEC\r\n", "<*-1\r\n" },
	  "inv multi @1; inv set c-1 @1; ok multi 1..2; inv exec @3; err set 1..4; ok exec nil 3..4; " },
	{ { ">MULTI\r\nSET call:c-1 x\r\nNOPE\r\nEXEC\r\n",
	    "<+OK\r\n+QUEUED\r\n-ERR unknown command\r\n-EXECABORT Transaction discarded\r\n" },
	  "inv multi @1; inv set c-1 @1; inv other @1; inv exec @1; ok multi 1..2; err other other 1..2; err set 1..2; err exec other 1..2; " },
	{ { ">MULTI\r\nSET call:c-1 x\r\nDISCARD\r\nPING\r\n",
	    "<+OK\r\n+QUEUED\r\n+OK\r\n+PONG\r\n" },
	  "inv multi @1; inv set c-1 @1; inv discard @1; inv ping @1; ok multi 1..2; err set 1..2; ok discard 1..2; ok ping 1..2; " },
	{ { ">MULTI\r\nSET call:c-1 x\r\nEXEC\r\n", "<+OK\r\n+QUEUED\r\n", "x" },
	  "inv multi @1; inv set c-1 @1; inv exec @1; ok multi 1..2; info set 1..3; info exec 1..3; left 2" },
	{ { ">MULTI\r\nSET call:c-1 x\r\nGET call:c-1\r\nEXEC\r\n",
	    "<+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n", "x" },
	  "inv multi @1; inv set c-1 @1; inv get c-1 @1; inv exec @1; ok multi 1..2; ok set 1..2; info get 1..3; info exec 1..3; left 2" },
	/* nil means refused, or does not */
	{ { ">SET call:c-1 x NX\r\nSET call:c-1 x GET\r\nSETNX call:c-1 x\r\nEVAL s 1 call:c-1\r\n",
	    "<$-1\r\n$-1\r\n:0\r\n$-1\r\n" },
	  "inv set c-1 @1; inv set c-1 @1; inv set c-1 @1; inv eval c-1 @1; ok set nil 1..2; ok set 1..2; ok set nil 1..2; ok eval nil 1..2; " },
	/* another database has no calls of ours */
	{ { ">SELECT 1\r\nGET call:c-1\r\nSELECT 0\r\nGET call:c-1\r\n",
	    "<+OK\r\n$-1\r\n+OK\r\n$-1\r\n" },
	  "inv select @1; inv get @1; inv select @1; inv get c-1 @1; ok select 1..2; ok get nil 1..2; ok select 1..2; ok get nil 1..2; " },
	{ { ">SELECT 99\r\n", "<-ERR DB index is out of range\r\n", ">GET call:c-1\r\n" },
	  "inv select @1; err select other 1..2; inv get c-1 @3; " },
	/* no answer was asked for */
	{ { ">CLIENT REPLY SKIP\r\nSET call:c-1 x\r\nPING\r\n", "<+PONG\r\n" },
	  "inv client @1; info client 1..1; inv set c-1 @1; info set 1..1; inv ping @1; ok ping 1..2; " },
	{ { ">CLIENT REPLY OFF\r\nPING\r\nPING\r\nCLIENT REPLY ON\r\nPING\r\n",
	    "<+OK\r\n+PONG\r\n" },
	  "inv client @1; info client 1..1; inv ping @1; info ping 1..1; inv ping @1; info ping 1..1; inv client @1; inv ping @1; ok client 1..2; ok ping 1..2; " },
	/* subscriptions: RESP2, where arrays are pushes; all at once; RESP3 */
	{ { ">SUBSCRIBE a b\r\n", "<*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n",
	    "<*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n",
	    "<*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n", ">PING\r\n",
	    "<*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n*2\r\n$4\r\npong\r\n$0\r\n\r\n" },
	  "inv subscribe @1; ok subscribe 1..4; inv ping @5; ok ping 5..6; " },
	{ { ">SUBSCRIBE a b\r\nUNSUBSCRIBE\r\nGET call:c-1\r\n",
	    "<*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n",
	    "<*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$11\r\nunsubscribe\r\n$1\r\nb\r\n:0\r\n$-1\r\n" },
	  "inv subscribe @1; inv unsubscribe @1; inv get c-1 @1; ok subscribe 1..2; ok unsubscribe 1..3; ok get nil 1..3; " },
	{ { ">UNSUBSCRIBE\r\nPING\r\n", "<*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n+PONG\r\n" },
	  "inv unsubscribe @1; inv ping @1; ok unsubscribe 1..2; ok ping 1..2; " },
	{ { ">PSUBSCRIBE a*\r\nGET call:c-1\r\n",
	    "<>3\r\n$10\r\npsubscribe\r\n$2\r\na*\r\n:1\r\n>4\r\n$8\r\npmessage\r\n+a*\r\n+a\r\n+x\r\n$-1\r\n" },
	  "inv subscribe @1; inv get c-1 @1; ok subscribe 1..2; ok get nil 1..2; " },
	{ { ">SUBSCRIBE a\r\n", "<-NOPERM no\r\n", ">PING\r\n", "<+PONG\r\n" },
	  "inv subscribe @1; err subscribe noperm 1..2; inv ping @3; ok ping 3..4; " },
	/* a list may look like one */
	{ { ">LRANGE l 0 -1\r\n", "<*1\r\n$7\r\nmessage\r\n" }, "inv lrange @1; ok lrange 1..2; " },
	{ { ">SUBSCRIBE a\r\nRESET\r\nMULTI\r\n",
	    "<*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n+RESET\r\n+OK\r\n" },
	  "inv subscribe @1; inv client @1; inv multi @1; ok subscribe 1..2; ok client 1..2; ok multi 1..2; " },
	/* a push is nobody's answer */
	{ { ">PING\r\n", "<>1\r\n+invalidate\r\n+PONG\r\n" }, "inv ping @1; ok ping 1..2; " },
	/* blindness is told once and changes nothing afterwards */
	{ { ">*1\r\n:1\r\n", ">PING\r\n", "<+PONG\r\n", "x" },
	  "blind: the agent does not speak RESP; left 0" },
	{ { ">PING\r\n", "<HTTP/1.1\r\n", "<+PONG\r\n", "x" },
	  "inv ping @1; info ping 1..2; blind: Redis does not speak RESP; left 0" },
	{ { "<+hello\r\n" }, "blind: an answer without a command; " },
	{ { "<-ERR max number of clients reached\r\n", "x" }, "left 0" },
	{ { ">monitor\r\nPING\r\n", "<+OK\r\n+1 [0 127.0.0.1:1] x\r\n" },
	  "inv monitor @1; info monitor 1..1; blind: MONITOR; " },
};

static void commands_are_paired_with_their_answers(void **state)
{
	struct heard h;

	(void)state;
	for (size_t i = 0; i < sizeof plays / sizeof *plays; i++) {
		listen_in(&h);
		play(&h, plays[i].script);
		assert_string_equal(h.text, plays[i].told);
		stop_listening(&h);
	}
}

static void a_password_is_seen_and_not_told(void **state)
{
	static const char *const script[] = { ">AUTH hunter2\r\nHELLO 3 AUTH me hunter2\r\n",
					      "<+OK\r\n%0\r\n", NULL };
	struct heard h;

	(void)state;
	listen_in(&h);
	play(&h, script);
	assert_string_equal(h.text, "inv auth @1; inv hello @1; ok auth 1..2; ok hello 1..2; ");
	assert_null(memmem(h.inspector.commands.kept.data, h.inspector.commands.kept.cap, "hunter2",
			   7));
	assert_true(h.inspector.secret);
	inspector_commands(&h.inspector, "PING\r\n", 6, 3);
	assert_false(h.inspector.secret);
	inspector_commands(&h.inspector, "AUTH hun", 8, 3);
	assert_true(h.inspector.secret);
	stop_listening(&h);
}

static void a_long_pipeline_is_paired_in_order_and_an_endless_one_makes_blind(void **state)
{
	struct heard h;

	(void)state;
	listen_in(&h);
	for (int i = 0; i < 1000; i++)
		inspector_commands(&h.inspector, "PING\r\nGET k\r\n", 13, i);
	for (int i = 0; i < 700; i++)
		inspector_replies(&h.inspector, "+PONG\r\n$-1\r\n", 12, i);
	assert_int_equal(h.invs, 2000);
	assert_int_equal(h.ends, 1400);
	assert_false(h.inspector.is_blind);
	for (int i = 0; i < INSPECTOR_OPEN_MAX; i++)
		inspector_commands(&h.inspector, "PING\r\n", 6, i);
	assert_true(h.inspector.is_blind);
	assert_int_equal(h.invs, h.ends);
	stop_listening(&h);
}

static void every_command_ends_once_whatever_the_bytes_are(void **state)
{
	static const char alphabet[] = "*$+-:\r\n0123GETPING call:c-1{}>|%_";
	struct rng rng = rng_split(7, 0, "noise");

	(void)state;
	for (int round = 0; round < 4000; round++) {
		struct heard h;
		int64_t now_ns = 0;

		listen_in(&h);
		for (int k = 0; k < 12; k++) {
			char noise[24];
			size_t size = 1 + rng_below(&rng, sizeof noise);

			for (size_t i = 0; i < size; i++)
				noise[i] = alphabet[rng_below(&rng, sizeof alphabet - 1)];
			switch (rng_below(&rng, 4)) {
			case 0:
				inspector_commands(&h.inspector, noise, size, ++now_ns);
				break;
			case 1:
				inspector_replies(&h.inspector, noise, size, ++now_ns);
				break;
			case 2:
				inspector_commands(&h.inspector, "GET call:c-1\r\n", 14, ++now_ns);
				break;
			default:
				inspector_replies(&h.inspector, "+OK\r\n", 5, ++now_ns);
			}
		}
		inspector_end(&h.inspector, ++now_ns);
		assert_int_equal(h.invs, h.ends);
		stop_listening(&h);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_are_paired_with_their_answers),
		cmocka_unit_test(a_password_is_seen_and_not_told),
		cmocka_unit_test(a_long_pipeline_is_paired_in_order_and_an_endless_one_makes_blind),
		cmocka_unit_test(every_command_ends_once_whatever_the_bytes_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
