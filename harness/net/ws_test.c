/* What the client does for its owner, against raw servers on the same loop. */
#include "net/test_peer.h"

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
	struct script upgrade = {
		.answer = "101",
		.ending = STAY,
		.headers =
			"X-Agent-Color: green\r\nX-Agent-Instance: green-2\r\n"
			"Set-Cookie: AWSALB=one; Path=/\r\nSet-Cookie: AWSALBTG=two; Expires=Thu, 01 Jan 2037\r\n"
	};
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
	assert_string_equal(c.cookies,
			    "[AWSALB=one; Path=/][AWSALBTG=two; Expires=Thu, 01 Jan 2037]");
	free_peer(&p);
	stop(&c);
	assert_true(c.ended); /* with its context */
}

static void fragments_and_long_messages_arrive_whole(void **unused)
{
	static char frames[16 + 40000] = "\x01\x02"
					 "he"
					 "\x80\x03"
					 "llo"
					 "\x82\x7e\x9c\x40";
	struct script upgrade = {
		.answer = "101", .frames = frames, .frames_size = 9 + 4 + 40000, .ending = STAY
	};
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
	struct script upgrade = { .answer = "101",
				  .frames = frames,
				  .frames_size = sizeof(frames),
				  .ending = CLOSE,
				  .wait = 8 };
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
	assert_int_equal(p.frames_in,
			 6 + 5 + 8); /* one masked text frame, one masked close frame */
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
