/*
 * A body for the control port, asked in both protocols of AWS: whatever it says, the answer is
 * well-formed XML or JSON, and a call that was refused has changed nothing.
 */
#include <jansson.h>
#include <libxml/parser.h>
#include <stdlib.h>

#include "ci/fuzz/fuzz.h"
#include "fixtures/alb/gateway.h"

struct world {
	struct balancer balancer;
	struct metrics metrics;
	struct api_faults faults;
	struct sigv4_secret secret; /* none: anybody's requests are taken */
	struct elb elb;
	struct gateway gateway;
};

static void on_change(void *user)
{
	(void)user;
}

static struct world *world_new(void)
{
	struct world *w = xcalloc(1, sizeof *w);

	w->balancer.idle_timeout_s = 60;
	w->balancer.nodes = 1;
	rules_born(&w->balancer.rules, "/realtime/*");
	balancer_begin(&w->balancer);
	group_register(&w->balancer.group[GROUP_BLUE], 0x7f000001, 9001, 0);
	w->elb = (struct elb){ .balancer = &w->balancer,
			       .port = 80,
			       .health_path = "/h",
			       .targets_changed = on_change };
	w->gateway = (struct gateway){
		.elb = &w->elb, .metrics = &w->metrics, .secret = &w->secret, .faults = &w->faults
	};
	return w;
}

static void read_answer(const struct aws_answer *a)
{
	bool json = strstr(a->type, "json") != NULL;
	xmlDocPtr document;
	json_t *value;

	ASSERT(a->status == 200 || (a->status >= 400 && a->status <= 599));
	ASSERT(!a->body.overflow);
	if (json) {
		/* What answers with nothing to say has an empty body. */
		value = json_loadb(buf_text(&a->body), a->body.len, 0, NULL);
		ASSERT(value || (a->status == 200 && !a->body.len));
		json_decref(value);
		return;
	}
	document = xmlReadMemory(buf_text(&a->body), (int)a->body.len, NULL, NULL,
				 XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	ASSERT(document);
	xmlFreeDoc(document);
}

static void ask(const char *head_text, const char *body, size_t size)
{
	struct world *w = world_new();
	struct balancer before = w->balancer;
	struct head *head = head_new(HTTP_REQUEST);
	struct aws_answer answer;

	ASSERT_EQ(head_feed(head, head_text, strlen(head_text)), HEAD_DONE);
	aws_answer_init(&answer);
	gateway_answer(&w->gateway, head, body, size, 1700000000, &answer);
	read_answer(&answer);
	if (answer.status != 200)
		ASSERT(!memcmp(&before, &w->balancer, sizeof before));
	aws_answer_free(&answer);
	head_free(head);
	metrics_clear(&w->metrics);
	free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const heads[] = {
		"POST / HTTP/1.1\r\nHost: e\r\n\r\n",
		"POST / HTTP/1.1\r\nX-Amz-Target: GraniteServiceVersion20100801.GetMetricData\r\n\r\n",
		"POST / HTTP/1.1\r\nX-Amz-Target: GraniteServiceVersion20100801.PutMetricData\r\n\r\n",
	};
	char *body = fuzz_text(data, size);

	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
		ask(heads[i], body, size);
	free(body);
	return 0;
}
