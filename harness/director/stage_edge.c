/* The local stack's edge: what a scenario asks of it as flags, and whose requests it takes. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "director/stage_parts.h"
#include "net/certificate.h"

/* Characters that need no quoting anywhere; 64 of them, so that six bits choose one evenly. */
static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
_Static_assert(sizeof letters == 64 + 1, "six bits choose a letter");

static int random_word(char *out, size_t size, struct err *err)
{
	ssize_t got = getrandom(out, size - 1, 0);

	if (got != (ssize_t)size - 1)
		return err_errno(err, ERR_HARNESS, errno, "no random bytes for credentials");
	for (size_t i = 0; i < size - 1; i++)
		out[i] = letters[(unsigned char)out[i] & 63];
	out[size - 1] = '\0';
	return 0;
}

/* A pair for this run alone: what steers the balancer is signed as on AWS, and nobody else on this
 * machine can. */
static int make_credentials(struct stage_credentials *ret, struct err *err)
{
	struct stage_credentials fresh = { .key_id = "AKIA" };

	if (random_word(fresh.key_id + 4, sizeof fresh.key_id - 4, err) < 0 ||
	    random_word(fresh.secret, sizeof fresh.secret, err) < 0)
		return -1;
	for (char *c = fresh.key_id; *c; c++)
		if (*c == '+' || *c == '/')
			*c = '0';
	*ret = fresh;
	return 0;
}

/* What is not asked for is left to the edge's own default. */
static void add_asked(struct arguments *a, const struct stack *s)
{
	if (s->nodes > 1)
		argument_pair(a, "--nodes", "%d", s->nodes);
	if (s->propagation_ns > 0)
		argument_pair(a, "--propagation-ms", "%lld",
			      (long long)(s->propagation_ns / NS_PER_MS));
	if (s->propagation_jitter_ns > 0)
		argument_pair(a, "--propagation-jitter-ms", "%lld",
			      (long long)(s->propagation_jitter_ns / NS_PER_MS));
	if (s->affinity == AFFINITY_CLIENT_IP)
		argument_pair(a, "--option", "affinity=client_ip");
	for (size_t i = 0; i < s->edge_option_count; i++)
		argument_pair(a, "--option", "%s", s->edge_options[i]);
	for (size_t i = 0; i < s->api_fault_count; i++)
		argument_pair(a, "--api-fault", "%s", s->api_faults[i]);
}

/* A certificate as asked for, and who is to believe it. */
static int add_tls(struct stage *stage, struct arguments *a, const struct stack *s,
		   char key[PATH_MAX], struct err *err)
{
	struct certificate_files files;

	if (!s->tls)
		return 0;
	if (certificate_make(stage->run_dir, s->certificate, &files, err) < 0)
		return -1;
	argument_pair(a, "--tls-policy", "%s", s->tls);
	argument_pair(a, "--certificate", "%s", files.certificate);
	argument_pair(a, "--key", "%s", files.key);
	snprintf(stage->ca, sizeof stage->ca, "%s", files.ca);
	snprintf(key, PATH_MAX, "%s", files.key);
	return 0;
}

/* What the part really does: the overlay's value, else what the timers declare. */
static long long seconds(int64_t really_ns, int64_t declared_ns)
{
	return (really_ns >= 0 ? really_ns : declared_ns) / NS_PER_S;
}

/* A port somebody asked for; 0 is always free. The edge itself could only say it into its log. */
static int port_free(uint16_t port, struct err *err)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1, result = 0;

	if (fd < 0)
		return err_errno(err, ERR_HARNESS, errno, "port %u", port);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes); /* as the edge does */
	if (bind(fd, (const struct sockaddr *)&at, sizeof at) < 0)
		result = err_errno(err, ERR_INPUT, errno, "port %u of 127.0.0.1 cannot be had",
				   port);
	close(fd);
	return result;
}

int part_edge(struct stage *stage, const struct scenario *sc, const struct buf *targets,
	      struct member **ret, struct err *err)
{
	const struct stack *s = &sc->stack;
	struct arguments a = { .count = 0 };
	char program[4096], key[PATH_MAX] = "", *environment[4] = { NULL };
	int result;

	if (process_beside("fixtures/alb/main", program, sizeof program, err) < 0 ||
	    port_free(stage->port, err) < 0 || port_free(stage->control_port, err) < 0)
		return -1;
	argument(&a, "%s", program);
	argument_pair(&a, "--listen", "127.0.0.1:%u", stage->port);
	argument_pair(&a, "--control", "127.0.0.1:%u", stage->control_port);
	argument_pair(&a, "--path", "%s", sc->balancer.path);
	for (const char *t = buf_text(targets); *t;) { /* one "color=address" a line */
		size_t length = strcspn(t, "\n");

		argument_pair(&a, "--target", "%.*s", (int)length, t);
		t += length + (t[length] == '\n');
	}
	argument_pair(&a, "--weights", "blue=100,green=0");
	argument_pair(&a, "--group-stickiness-s", "%lld",
		      seconds(s->stickiness_ns, sc->timers.stickiness_group_ns));
	argument_pair(&a, "--target-stickiness-s", "%lld",
		      seconds(s->stickiness_ns, sc->timers.stickiness_target_ns));
	argument_pair(&a, "--deregistration-delay-s", "%lld",
		      seconds(s->deregistration_delay_ns, sc->timers.deregistration_delay_ns));
	argument_pair(&a, "--idle-timeout-s", "%lld", seconds(s->idle_ns, sc->timers.idle_ns));
	argument_pair(&a, "--health-path", "/healthz/realtime");
	argument_pair(&a, "--health-interval-ms", "500");
	argument_pair(&a, "--health-timeout-ms", "2000");
	argument_pair(&a, "--healthy", "2");
	argument_pair(&a, "--unhealthy", "2");
	argument_pair(&a, "--seed", "%llu", (unsigned long long)sc->seed);
	add_asked(&a, s);
	if (add_tls(stage, &a, s, key, err) < 0 ||
	    (!stage->unsigned_control && make_credentials(&stage->credentials, err) < 0))
		return -1;
	environment[0] = xasprintf("ALB_ACCESS_KEY_ID=%s", stage->credentials.key_id);
	environment[1] = xasprintf("ALB_SECRET_ACCESS_KEY=%s", stage->credentials.secret);
	environment[2] = xstrdup("ALB_SESSION_TOKEN="); /* not one of ours that the user has */
	result = part_start(stage,
			    (struct member_spec){ .kind = MEMBER_BALANCER,
						  .name = "alb",
						  .environment = (const char *const *)environment,
						  .control = true },
			    &a, ret, err);
	for (int i = 0; environment[i]; i++)
		free(environment[i]);
	if (result < 0)
		return -1;
	result = stage_await_ready(*ret, PART_READY_S * NS_PER_S, err);
	if (key[0]) /* read by now: a record of a run holds no key */
		unlink(key);
	return result;
}
