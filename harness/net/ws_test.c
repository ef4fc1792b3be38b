/* Against raw servers on the same loop, each of which says and does one thing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "net/ws.h"

enum ending { STAY, CLOSE, RESET };

/* What the server does: `answer` (after the head; "101" makes an upgrade), then `frames`, then the ending. After `wait` bytes
 * of frames received the ending is done; 0: at once. */
struct script {
	const char *answer, *headers;
	const void *frames;
	size_t frames_size;
	enum ending ending;
	size_t wait;
};

struct peer {
	const struct script *script;
	struct loop *loop;
	int listener, fd;
	uint16_t port;
	struct loop_fd *accept_watch, *watch;
	struct buf in;
	bool answered, eof, reset;
	size_t frames_in;
	char head[4096];
};

struct caller {
	struct loop *loop;
	struct ws_context *context;
	struct ws *ws;
	bool opened, ended, timed_out, closes_at_once, aborts_at_once;
	size_t messages, last_size;
	bool last_binary;
	char last[256], color[32], instance[64], cookies[512];
	struct ws_ended end;
	char text[256];
	struct loop_timer *guard;
};

static void accept_key(const char *head, char out[64])
{
	static const char label[] = "Sec-WebSocket-Key: ";
	unsigned char digest[SHA_DIGEST_LENGTH];
	char text[128];

	snprintf(text, sizeof(text), "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", strstr(head, label) + strlen(label));
	SHA1((const unsigned char *)text, strlen(text), digest);
	EVP_EncodeBlock((unsigned char *)out, digest, sizeof(digest));
}

static void end_peer(struct peer *p)
{
	struct linger now = { .l_onoff = 1 };

	if (p->fd < 0 || p->script->ending == STAY)
		return;
	if (p->script->ending == RESET)
		setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	loop_fd_free(p->watch);
	p->watch = NULL;
	close(p->fd);
	p->fd = -1;
}

static void answer(struct peer *p)
{
	char text[1024], key[64];

	p->answered = true;
	snprintf(p->head, sizeof(p->head), "%s", buf_text(&p->in));
	if (p->script->answer && !strcmp(p->script->answer, "101")) {
		accept_key(p->head, key);
		snprintf(text, sizeof(text), "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
			 "Sec-WebSocket-Accept: %s\r\n%s\r\n", key, p->script->headers ? p->script->headers : "");
		assert_int_equal(write(p->fd, text, strlen(text)), strlen(text));
	} else if (p->script->answer) {
		assert_int_equal(write(p->fd, p->script->answer, strlen(p->script->answer)), strlen(p->script->answer));
	}
	if (p->script->frames_size)
		assert_int_equal(write(p->fd, p->script->frames, p->script->frames_size), p->script->frames_size);
	if (!p->script->wait)
		end_peer(p);
}

static void on_peer(void *user, int events)
{
	struct peer *p = user;
	char bytes[4096];
	ssize_t n = read(p->fd, bytes, sizeof(bytes));

	(void)events;
	if (n <= 0) {
		p->reset = n < 0 && errno == ECONNRESET;
		p->eof = n == 0;
		loop_fd_want(p->watch, 0);
		return;
	}
	if (p->answered) {
		p->frames_in += (size_t)n;
		if (p->script->wait && p->frames_in >= p->script->wait)
			end_peer(p);
		return;
	}
	buf_append(&p->in, bytes, (size_t)n);
	if (strstr(buf_text(&p->in), "\r\n\r\n"))
		answer(p);
}

static void on_accept(void *user, int events)
{
	struct peer *p = user;

	(void)events;
	p->fd = accept(p->listener, NULL, NULL);
	assert_true(p->fd >= 0);
	p->watch = loop_fd_new(p->loop, p->fd, on_peer, p);
	loop_fd_want(p->watch, LOOP_READ);
}

static void listen_peer(struct peer *p, struct loop *loop, const struct script *script)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(any);

	*p = (struct peer){ .script = script, .loop = loop, .fd = -1, .in = buf_init(65536) };
	p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p->listener, (struct sockaddr *)&any, sizeof(any)), 0);
	assert_int_equal(listen(p->listener, 16), 0);
	assert_int_equal(getsockname(p->listener, (struct sockaddr *)&any, &size), 0);
	p->port = ntohs(any.sin_port);
	p->accept_watch = loop_fd_new(loop, p->listener, on_accept, p);
	loop_fd_want(p->accept_watch, LOOP_READ);
}

static void free_peer(struct peer *p)
{
	loop_fd_free(p->watch);
	loop_fd_free(p->accept_watch);
	if (p->fd >= 0)
		close(p->fd);
	close(p->listener);
	buf_free(&p->in);
}

static void on_open(void *user, const struct ws_accepted *a)
{
	struct caller *c = user;

	c->opened = true;
	snprintf(c->color, sizeof(c->color), "%s", a->color ? a->color : "");
	snprintf(c->instance, sizeof(c->instance), "%s", a->instance ? a->instance : "");
	for (size_t i = 0; i < a->set_cookie_count; i++)
		snprintf(c->cookies + strlen(c->cookies), sizeof(c->cookies) - strlen(c->cookies), "[%s]",
			 a->set_cookies[i]);
	if (c->closes_at_once)
		ws_close(c->ws, 1000);
	if (c->aborts_at_once)
		ws_abort(c->ws, false);
}

static void on_message(void *user, const void *data, size_t size, bool binary)
{
	struct caller *c = user;

	c->messages++;
	c->last_size = size;
	c->last_binary = binary;
	memcpy(c->last, data, size < sizeof(c->last) ? size : sizeof(c->last) - 1);
}

static void on_end(void *user, const struct ws_ended *e)
{
	struct caller *c = user;

	assert_false(c->ended); /* exactly once */
	c->ended = true;
	c->end = *e;
	snprintf(c->text, sizeof(c->text), "%s", e->text);
	c->ws = NULL;
}

static void on_guard(void *user)
{
	struct caller *c = user;

	c->timed_out = true;
}

static const struct ws_owner owner = { .on_open = on_open, .on_message = on_message, .on_end = on_end };

static void start(struct caller *c)
{
	struct ws_settings settings = { .tls_verify = true };
	struct err err = { 0 };

	*c = (struct caller){ .loop = loop_new() };
	assert_int_equal(ws_context_new(c->loop, &settings, &c->context, &err), 0);
	c->guard = loop_timer_new(c->loop, on_guard, c);
	loop_timer_at(c->guard, clock_now_ns() + 60 * NS_PER_S);
}

static void stop(struct caller *c)
{
	loop_timer_free(c->guard);
	ws_context_free(c->context);
	loop_free(c->loop);
}

static void dial(struct caller *c, uint16_t port, bool tls)
{
	static const struct ws_header headers[] = { { "Cookie", "AWSALB=abc" }, { "X-Test", "1" } };
	struct ws_dial d = { .address = { .sin_family = AF_INET, .sin_port = htons(port),
					  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) },
			     .host = "voice.example.com:8080", .path = "/realtime/c-1?x=y", .headers = headers,
			     .header_count = 2, .tls = tls, .source_ip = "127.0.0.9" };
	struct err err = { 0 };

	c->ws = ws_dial(c->context, &d, &owner, c, &err);
	assert_non_null(c->ws);
	assert_false(c->opened || c->ended); /* never calls back before it returns */
}

#define UNTIL(c, condition)                                                                              \
	do {                                                                                             \
		while (!(condition) && !(c)->timed_out)                                                  \
			loop_run_once((c)->loop);                                                        \
		assert_true(condition);                                                                  \
	} while (0)

/* ---- */

#define TEXT(n, s) "\x81" n s

static const struct row {
	const char *what;
	struct script script;
	bool established;
	enum dial_failure failure;
	uint16_t status;
	enum leg_how how;
	enum side side;
	uint16_t code;
} rows[] = {
	{ "closed before the 101", { .ending = CLOSE }, .failure = DIAL_RESET, .side = SIDE_AGENT },
	{ "reset before the 101", { .ending = RESET }, .failure = DIAL_RESET, .side = SIDE_AGENT },
	{ "half an answer", { .answer = "HTTP/1.1 101 Swi", .ending = CLOSE }, .failure = DIAL_RESET, .side = SIDE_AGENT },
	{ "no HTTP", { .answer = "SSH-2.0-OpenSSH_9.2\r\n\r\n", .ending = CLOSE }, .failure = DIAL_RESET, .side = SIDE_AGENT },
	{ "503", { .answer = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", .ending = CLOSE },
	  .failure = DIAL_HTTP_STATUS, .status = 503, .side = SIDE_AGENT },
	{ "503, kept open", { .answer = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno", .ending = STAY },
	  .failure = DIAL_HTTP_STATUS, .status = 503, .side = SIDE_AGENT },
	{ "401", { .answer = "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", .ending = CLOSE },
	  .failure = DIAL_HTTP_STATUS, .status = 401, .side = SIDE_AGENT },
	{ "a redirect is not followed", { .answer = "HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
	  .ending = CLOSE }, .failure = DIAL_HTTP_STATUS, .status = 302, .side = SIDE_AGENT },
	{ "a 101 with a wrong key", { .answer = "HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	  "Sec-WebSocket-Accept: AAAA\r\n\r\n", .ending = CLOSE }, .failure = DIAL_HTTP_STATUS, .status = 101, .side = SIDE_AGENT },
	{ "end of stream", { .answer = "101", .ending = CLOSE }, true, .how = LEG_FIN, .side = SIDE_AGENT },
	{ "reset", { .answer = "101", .ending = RESET }, true, .how = LEG_RST, .side = SIDE_AGENT },
	{ "close 1000", { .answer = "101", .frames = "\x88\x02\x03\xe8", .frames_size = 4, .ending = STAY },
	  true, .how = LEG_CLOSE_FRAME, .side = SIDE_AGENT, .code = 1000 },
	{ "close 1001 and end of stream", { .answer = "101", .frames = "\x88\x06\x03\xe9" "away", .frames_size = 8, .ending = CLOSE },
	  true, .how = LEG_CLOSE_FRAME, .side = SIDE_AGENT, .code = 1001 },
	{ "close 1011", { .answer = "101", .frames = "\x88\x02\x03\xf3", .frames_size = 4, .ending = STAY },
	  true, .how = LEG_CLOSE_FRAME, .side = SIDE_AGENT, .code = 1011 },
	{ "close 1012, which the library hides", { .answer = "101", .frames = "\x88\x09\x03\xf4" "restart", .frames_size = 11,
	  .ending = STAY }, true, .how = LEG_CLOSE_FRAME, .side = SIDE_AGENT, .code = 1012 },
	{ "close 1013 after a message", { .answer = "101", .frames = TEXT("\x02", "hi") "\x88\x02\x03\xf5", .frames_size = 8,
	  .ending = STAY }, true, .how = LEG_CLOSE_FRAME, .side = SIDE_AGENT, .code = 1013 },
	{ "close 1002 is what was sent", { .answer = "101", .frames = "\x88\x02\x03\xea", .frames_size = 4, .ending = STAY },
	  true, .how = LEG_CLOSE_FRAME, .side = SIDE_AGENT, .code = 1002 },
	{ "close 4321", { .answer = "101", .frames = "\x88\x02\x10\xe1", .frames_size = 4, .ending = STAY },
	  true, .how = LEG_CLOSE_FRAME, .side = SIDE_AGENT, .code = 4321 },
	{ "close without a code", { .answer = "101", .frames = "\x88\x00", .frames_size = 2, .ending = STAY },
	  true, .how = LEG_CLOSE_FRAME, .side = SIDE_AGENT, .code = 1005 },
	{ "bytes that are no frame", { .answer = "101", .frames = "\xff\xff\xff\xff", .frames_size = 4, .ending = STAY },
	  true, .how = LEG_FIN, .side = SIDE_CALLER },
};

static void every_end_is_told_by_its_class(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *r = &rows[i];
		struct caller c;
		struct peer p;

		start(&c);
		listen_peer(&p, c.loop, &r->script);
		dial(&c, p.port, false);
		UNTIL(&c, c.ended);
		if (c.end.established != r->established || c.end.failure != r->failure || c.end.status != r->status ||
		    c.end.how != r->how || c.end.side != r->side || c.end.code != r->code)
			fail_msg("%s: established %d failure %s status %d how %s side %s code %d (%s)", r->what,
				 c.end.established, dial_failure_name(c.end.failure), c.end.status,
				 leg_how_name(c.end.how), side_name(c.end.side), c.end.code, c.text);
		assert_int_equal(c.opened, r->established);
		free_peer(&p);
		stop(&c);
	}
}

static void a_dial_to_nobody_is_refused(void **unused)
{
	struct script silent = { .ending = STAY };
	struct caller c;
	struct peer p;

	(void)unused;
	start(&c);
	listen_peer(&p, c.loop, &silent);
	free_peer(&p); /* nobody listens there now */
	dial(&c, p.port, false);
	UNTIL(&c, c.ended);
	assert_false(c.end.established);
	assert_int_equal(c.end.failure, DIAL_REFUSED);
	stop(&c);
}

static void a_dial_its_owner_gives_up_is_a_timeout(void **unused)
{
	struct script silent = { .ending = STAY };
	struct caller c;
	struct peer p;

	(void)unused;
	start(&c);
	listen_peer(&p, c.loop, &silent);
	dial(&c, p.port, false);
	UNTIL(&c, p.answered);
	ws_abort(c.ws, false);
	assert_false(c.ended); /* not from within */
	UNTIL(&c, c.ended);
	assert_int_equal(c.end.failure, DIAL_TIMEOUT);
	free_peer(&p);
	stop(&c);
}

static void a_dial_without_a_descriptor_left_is_a_local_limit(void **unused)
{
	struct script silent = { .ending = STAY };
	struct rlimit was, tight;
	struct caller c;
	struct peer p;
	int next;

	(void)unused;
	start(&c);
	listen_peer(&p, c.loop, &silent);
	next = open("/dev/null", O_RDONLY);
	close(next);
	getrlimit(RLIMIT_NOFILE, &was);
	tight = (struct rlimit){ .rlim_cur = (rlim_t)next, .rlim_max = was.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	dial(&c, p.port, false);
	setrlimit(RLIMIT_NOFILE, &was);
	UNTIL(&c, c.ended);
	assert_false(c.end.established);
	assert_int_equal(c.end.failure, DIAL_LOCAL_LIMIT);
	free_peer(&p);
	stop(&c);
}

static void the_request_and_the_answer_carry_their_headers(void **unused)
{
	struct script upgrade = { .answer = "101", .ending = STAY,
				  .headers = "X-Agent-Color: green\r\nX-Agent-Instance: green-2\r\n"
					     "Set-Cookie: AWSALB=one; Path=/\r\nSet-Cookie: AWSALBTG=two; Expires=Thu, 01 Jan 2037\r\n" };
	struct caller c;
	struct peer p;

	(void)unused;
	start(&c);
	listen_peer(&p, c.loop, &upgrade);
	dial(&c, p.port, false);
	UNTIL(&c, c.opened);
	assert_non_null(strstr(p.head, "GET /realtime/c-1?x=y HTTP/1.1\r\n"));
	assert_non_null(strstr(p.head, "\r\nHost: voice.example.com:8080\r\n"));
	assert_non_null(strstr(p.head, "\r\nCookie: AWSALB=abc\r\nX-Test: 1\r\n"));
	assert_null(strstr(p.head, "Sec-WebSocket-Protocol"));
	assert_null(strstr(p.head, "Origin"));
	assert_string_equal(c.color, "green");
	assert_string_equal(c.instance, "green-2");
	assert_string_equal(c.cookies, "[AWSALB=one; Path=/][AWSALBTG=two; Expires=Thu, 01 Jan 2037]");
	free_peer(&p);
	stop(&c);
	assert_true(c.ended); /* with its context */
}

static void fragments_and_long_messages_arrive_whole(void **unused)
{
	static char frames[16 + 40000] = "\x01\x02" "he" "\x80\x03" "llo" "\x82\x7e\x9c\x40";
	struct script upgrade = { .answer = "101", .frames = frames, .frames_size = 9 + 4 + 40000, .ending = STAY };
	struct caller c;
	struct peer p;

	(void)unused;
	memset(frames + 13, 'z', 40000);
	start(&c);
	listen_peer(&p, c.loop, &upgrade);
	dial(&c, p.port, false);
	UNTIL(&c, c.messages >= 1);
	if (c.messages == 1) {
		assert_memory_equal(c.last, "hello", 5);
		assert_int_equal(c.last_size, 5);
		assert_false(c.last_binary);
	}
	UNTIL(&c, c.messages == 2);
	assert_int_equal(c.last_size, 40000);
	assert_true(c.last_binary);
	free_peer(&p);
	stop(&c);
}

static void a_message_past_the_limit_ends_the_leg_with_1009(void **unused)
{
	static char frames[10 + 70000] = "\x82\x7f\0\0\0\0\0\x01\x11\x70";
	struct script upgrade = { .answer = "101", .frames = frames, .frames_size = sizeof(frames), .ending = CLOSE, .wait = 8 };
	struct caller c;
	struct peer p;

	(void)unused;
	start(&c);
	listen_peer(&p, c.loop, &upgrade);
	dial(&c, p.port, false);
	UNTIL(&c, c.ended);
	assert_int_equal(c.messages, 0);
	assert_int_equal(c.end.how, LEG_CLOSE_FRAME);
	assert_int_equal(c.end.side, SIDE_CALLER);
	assert_int_equal(c.end.code, 1009);
	free_peer(&p);
	stop(&c);
}

static void an_orderly_close_sends_its_frame_after_what_is_queued(void **unused)
{
	struct script upgrade = { .answer = "101", .ending = CLOSE, .wait = 6 + 5 + 8 };
	struct caller c;
	struct peer p;

	(void)unused;
	start(&c);
	listen_peer(&p, c.loop, &upgrade);
	dial(&c, p.port, false);
	UNTIL(&c, c.opened);
	assert_int_equal(ws_send(c.ws, "hello", 5, false), 0);
	ws_close(c.ws, 1000);
	assert_int_equal(ws_send(c.ws, "late", 4, false), -1);
	UNTIL(&c, c.ended);
	assert_int_equal(p.frames_in, 6 + 5 + 8); /* one masked text frame, one masked close frame */
	assert_int_equal(c.end.how, LEG_CLOSE_FRAME);
	assert_int_equal(c.end.side, SIDE_CALLER);
	assert_int_equal(c.end.code, 1000);
	free_peer(&p);
	stop(&c);
}

static void a_close_the_agent_never_answers_is_given_up(void **unused)
{
	struct script upgrade = { .answer = "101", .ending = STAY };
	struct caller c;
	struct peer p;

	(void)unused;
	start(&c);
	c.closes_at_once = true;
	listen_peer(&p, c.loop, &upgrade);
	dial(&c, p.port, false);
	UNTIL(&c, c.ended);
	assert_int_equal(c.end.how, LEG_TIMEOUT);
	assert_int_equal(c.end.side, SIDE_CALLER);
	UNTIL(&c, p.eof);
	free_peer(&p);
	stop(&c);
}

static void an_aborted_leg_ends_without_a_close_frame(void **unused)
{
	static const struct script upgrade = { .answer = "101", .ending = STAY };

	(void)unused;
	for (int reset = 0; reset < 2; reset++) {
		struct caller c;
		struct peer p;

		start(&c);
		listen_peer(&p, c.loop, &upgrade);
		dial(&c, p.port, false);
		UNTIL(&c, c.opened);
		ws_abort(c.ws, reset);
		assert_false(c.ended);
		UNTIL(&c, c.ended && (p.eof || p.reset));
		assert_int_equal(p.frames_in, 0);
		assert_int_equal(p.reset, reset);
		assert_int_equal(c.end.how, reset ? LEG_RST : LEG_FIN);
		assert_int_equal(c.end.side, SIDE_CALLER);
		assert_int_equal(c.end.code, 0);
		free_peer(&p);
		stop(&c);
	}
}

static void a_leg_may_be_aborted_from_its_own_callback(void **unused)
{
	struct script upgrade = { .answer = "101", .ending = STAY };
	struct caller c;
	struct peer p;

	(void)unused;
	start(&c);
	c.aborts_at_once = true;
	listen_peer(&p, c.loop, &upgrade);
	dial(&c, p.port, false);
	UNTIL(&c, c.ended);
	assert_true(c.end.established);
	assert_int_equal(c.end.how, LEG_FIN);
	UNTIL(&c, p.eof);
	free_peer(&p);
	stop(&c);
}

static void a_full_socket_queues_up_to_the_limit_and_then_refuses(void **unused)
{
	static char block[60000];
	struct script upgrade = { .answer = "101", .ending = STAY };
	struct caller c;
	struct peer p;
	size_t sent = 0;

	(void)unused;
	start(&c);
	listen_peer(&p, c.loop, &upgrade);
	dial(&c, p.port, false);
	UNTIL(&c, c.opened);
	while (ws_send(c.ws, block, sizeof(block), true) == 0)
		assert_true(++sent < 1000); /* the peer does not read while we are here */
	assert_true(sent >= 4);
	UNTIL(&c, p.frames_in == sent * (sizeof(block) + 8));
	assert_int_equal(ws_send(c.ws, "again", 5, false), 0);
	UNTIL(&c, p.frames_in == sent * (sizeof(block) + 8) + 11);
	assert_false(c.ended);
	free_peer(&p);
	stop(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_end_is_told_by_its_class),
		cmocka_unit_test(a_dial_to_nobody_is_refused),
		cmocka_unit_test(a_dial_its_owner_gives_up_is_a_timeout),
		cmocka_unit_test(a_dial_without_a_descriptor_left_is_a_local_limit),
		cmocka_unit_test(the_request_and_the_answer_carry_their_headers),
		cmocka_unit_test(fragments_and_long_messages_arrive_whole),
		cmocka_unit_test(a_message_past_the_limit_ends_the_leg_with_1009),
		cmocka_unit_test(an_orderly_close_sends_its_frame_after_what_is_queued),
		cmocka_unit_test(a_close_the_agent_never_answers_is_given_up),
		cmocka_unit_test(an_aborted_leg_ends_without_a_close_frame),
		cmocka_unit_test(a_leg_may_be_aborted_from_its_own_callback),
		cmocka_unit_test(a_full_socket_queues_up_to_the_limit_and_then_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
