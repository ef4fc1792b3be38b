#include "command/core/stack_up.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/shell.h"
#include "director/stage.h"
#include "director/surroundings.h"
#include "net/control.h"
#include "net/process.h"

/* A stack while it is up. */
struct up {
	const struct stack_wish *wish;
	struct stage stage;
	struct stack_facts facts;
	bool over, quiet; /* quiet: it is being ended, exits are no news */
};

static void on_signal(void *user)
{
	struct up *u = user;

	u->over = u->stage.cancelled = true;
}

static void on_message(void *user, struct member *m, const struct control_message *message)
{
	(void)user;
	(void)m;
	(void)message;
}

static void on_exit_of(void *user, struct member *m)
{
	struct up *u = user;

	if (u->quiet || !u->facts.ready)
		return;
	if (m->status > 128)
		printf("%s has ended, by signal %d\n", m->name, m->status - 128);
	else
		printf("%s has ended, with status %d\n", m->name, m->status);
	fflush(stdout);
}

/* ---- what it says of itself ---- */

static void take(const struct control_message *bindings, const char *name, char *out, size_t size)
{
	if (!control_value(bindings, name, out, size))
		snprintf(out, size, "%s", "");
}

/* "NAME:COLOR:HOST:PORT,...": the address of one of them. */
static void address_of(const struct control_message *bindings, const char *name, char *out,
		       size_t size)
{
	char instances[CONTROL_TEXT_MAX], *rest = instances, *each;
	size_t length = strlen(name);

	take(bindings, "instances", instances, sizeof instances);
	while ((each = strsep(&rest, ","))) {
		const char *color = strncmp(each, name, length) ? NULL : strchr(each, ':');
		const char *at = color == each + length ? strchr(color + 1, ':') : NULL;

		if (at)
			snprintf(out, size, "%s", at + 1);
	}
}

static void gather_members(struct up *u, const struct control_message *bindings)
{
	struct stack_facts *f = &u->facts;

	for (size_t i = 0; i < u->stage.count && f->member_count < STACK_MEMBERS_MAX; i++) {
		const struct member *from = &u->stage.members[i];
		struct stack_member *m = &f->member[f->member_count];

		if (from->ended) /* a redis-server that found its port taken */
			continue;
		*m = (struct stack_member){ .color = from->color };
		snprintf(m->name, sizeof m->name, "%s", from->name);
		if (from->kind == MEMBER_REDIS)
			snprintf(m->address, sizeof m->address, "%s", from->address);
		else if (from->kind == MEMBER_BALANCER)
			take(bindings, "alb", m->address, sizeof m->address);
		else
			address_of(bindings, from->name, m->address, sizeof m->address);
		/* One that ends at this moment is told as gone ever after. */
		if (other_process_look(from->process.pid, &m->process) < 0)
			m->process.pid = from->process.pid;
		f->member_count++;
	}
}

static const char *value_of(const struct surroundings *s, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < s->count; i++)
		if (!strncmp(s->line[i], name, length) && s->line[i][length] == '=')
			return s->line[i] + length + 1;
	return "";
}

/* What a newcomer may want to type next; a test types it. */
static void suggest(const struct up *u, const struct surroundings *s)
{
	const char *ca = value_of(s, "CA_FILE");
	const char *trust = *ca ? " --ca \"$CA_FILE\"" : "";
	const struct scenario *sc = u->wish->scenario;
	int64_t sticky_ns = sc->stack.stickiness_ns >= 0 ? sc->stack.stickiness_ns :
							   sc->timers.stickiness_group_ns;
	struct buf dir = buf_init(2 * PATH_MAX);
	char sticky[96] = "";

	shell_word(&dir, u->wish->dir->path);
	/* ModifyRule replaces the whole action: who leaves the stickiness out turns it off. */
	if (sticky_ns >= NS_PER_S)
		snprintf(sticky, sizeof sticky,
			 ",TargetGroupStickinessConfig={Enabled=true,DurationSeconds=%lld}",
			 (long long)(sticky_ns / NS_PER_S));
	printf("\nTry, in another terminal:\n"
	       "  . %s/env\n"
	       "  \"$CROSSFADE\" stack status --dir %s --wait 30s\n"
	       "  aws --endpoint-url \"$ENDPOINT_URL\" elbv2 describe-rules --rule-arns \"$RULE_ARN\"\n"
	       "  aws --endpoint-url \"$ENDPOINT_URL\" elbv2 describe-target-health --target-group-arn \"$GREEN_TARGET_GROUP_ARN\"\n"
	       "  \"$CROSSFADE\" ping \"$WS_URL\" --color blue%s\n"
	       "  \"$CROSSFADE\" ping \"$WS_URL\" --color green --header \"$TEST_HEADER\" --redis \"$REDIS\"%s\n"
	       "  aws --endpoint-url \"$ENDPOINT_URL\" elbv2 modify-rule --rule-arn \"$RULE_ARN\" --actions \"Type=forward,ForwardConfig={TargetGroups=[{TargetGroupArn=$BLUE_TARGET_GROUP_ARN,Weight=0},{TargetGroupArn=$GREEN_TARGET_GROUP_ARN,Weight=100}]%s}\"\n"
	       "  \"$CROSSFADE\" ping \"$WS_URL\" --color green%s\n"
	       "  \"$CROSSFADE\" stack down --dir %s\n",
	       buf_text(&dir), buf_text(&dir), trust, trust, sticky, trust, buf_text(&dir));
	buf_free(&dir);
}

static void announce(const struct up *u, const struct surroundings *s)
{
	static const char secret[] = "AWS_SECRET_ACCESS_KEY=";

	printf("The local stack is up, pid %d, logs in %s. Ctrl-C ends it.\n\n", (int)getpid(),
	       u->wish->dir->path);
	printf("  callers   %s\n  control   %s   (ELBv2 and CloudWatch; %s)\n  redis     %s\n",
	       u->facts.url, u->facts.endpoint,
	       u->wish->verify ? "signatures are verified" : "any credentials will do",
	       u->facts.redis);
	for (size_t i = 0; i < u->facts.member_count; i++) {
		const struct stack_member *m = &u->facts.member[i];

		if (m->color != COLOR_UNKNOWN)
			printf("  %-9s ws://%s/realtime/   pid %d\n", m->name, m->address,
			       (int)m->process.pid);
	}
	printf("\nIts environment, also in %s/env:\n", u->wish->dir->path);
	for (size_t i = 0; i < s->count; i++) {
		const char *equals = strchr(s->line[i], '=');
		struct buf value;

		/* What is printed ends up in logs; the file is its owner's alone. */
		if (u->wish->verify && !strncmp(s->line[i], secret, sizeof secret - 1)) {
			printf("  # %.*s is in that file only\n", (int)(sizeof secret - 2), secret);
			continue;
		}
		value = buf_init(1 << 16);
		shell_quote(&value, equals + 1);
		printf("  export %.*s=%s\n", (int)(equals - s->line[i]), s->line[i],
		       buf_text(&value));
		buf_free(&value);
	}
	suggest(u, s);
	fflush(stdout);
}

/* Files first, then the terminal: who reads that it is up finds them. */
static int tell(struct up *u, const struct buf *bindings, struct err *err)
{
	struct control_message all = control_make(CONTROL_BIND, 0, 0);
	struct stage_credentials credentials = u->stage.credentials;
	const char *dir = u->wish->dir->path;
	struct surroundings s = { .count = 0 };
	char self[4096];
	int result = -1;

	control_text(&all, "%s", buf_text(bindings));
	if (!u->wish->verify) { /* the AWS CLI will not go without any */
		strcpy(credentials.key_id, "local");
		strcpy(credentials.secret, "local");
	}
	if (process_beside("crossfade", self, sizeof self, err) < 0 ||
	    stack_environment(u->wish->scenario, buf_text(bindings), &credentials, self, &s, err) <
		    0)
		goto out;
	take(&all, "redis", u->facts.redis, sizeof u->facts.redis);
	take(&all, "balancer", u->facts.endpoint, sizeof u->facts.endpoint);
	take(&all, "rule", u->facts.rule, sizeof u->facts.rule);
	snprintf(u->facts.url, sizeof u->facts.url, "%s", value_of(&s, "WS_URL"));
	snprintf(u->facts.path, sizeof u->facts.path, "%s", u->wish->scenario->balancer.path);
	gather_members(u, &all);
	u->facts.ready = true;
	if (stack_env_write(dir, (const char *const *)s.line, err) < 0 ||
	    stack_facts_write(dir, &u->facts, err) < 0)
		goto out;
	announce(u, &s);
	result = 0;
out:
	surroundings_free(&s);
	explicit_bzero(&credentials, sizeof credentials);
	return result;
}

/* ---- up and down ---- */

static int begin(struct up *u, struct err *err)
{
	time_t now = (time_t)(clock_realtime_ns() / NS_PER_S);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(u->facts.since, sizeof u->facts.since, "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (other_process_look(getpid(), &u->facts.up) < 0)
		return err_set(err, ERR_HARNESS, "/proc does not tell of this process");
	return stack_facts_write(u->wish->dir->path, &u->facts, err);
}

static void end(struct up *u)
{
	u->quiet = true;
	u->stage.cancelled = false;
	stage_end(&u->stage, MEMBER_AGENT, 2 * NS_PER_S);
	stage_end(&u->stage, MEMBER_BALANCER, 2 * NS_PER_S);
	stage_end(&u->stage, MEMBER_REDIS, 5 * NS_PER_S);
}

static int play(struct up *u, struct err *err)
{
	struct buf bindings = buf_init(CONTROL_TEXT_MAX - 1);
	int result = begin(u, err);

	if (!result)
		result = stage_local_up(&u->stage, u->wish->scenario, &bindings, err);
	if (!result && bindings.overflow)
		result = err_set(
			err, ERR_INPUT,
			"the addresses of the stack are longer than %d bytes: fewer instances",
			CONTROL_TEXT_MAX);
	if (!result)
		result = tell(u, &bindings, err);
	while (!result && !u->over)
		loop_run_once(u->stage.loop);
	buf_free(&bindings);
	/* Ended while it came up: as it was told to. */
	return u->over ? 0 : result;
}

int stack_up(const struct stack_wish *wish, struct err *err)
{
	static const struct stage_owner owner = { .on_message = on_message, .on_exit = on_exit_of };
	struct up u = { .wish = wish,
			.stage = { .loop = loop_new(),
				   .run_dir = wish->dir->path,
				   .owner = &owner,
				   .unsigned_control = !wish->verify,
				   .port = wish->port,
				   .control_port = wish->control_port } };
	struct loop_signal *interrupt, *terminate;
	int result;

	u.stage.user = &u;
	interrupt = loop_signal_new(u.stage.loop, SIGINT, on_signal, &u);
	terminate = loop_signal_new(u.stage.loop, SIGTERM, on_signal, &u);
	result = play(&u, err);
	end(&u);
	if (!result)
		printf("\nThe stack has ended; logs are in %s.\n", wish->dir->path);
	loop_signal_free(interrupt);
	loop_signal_free(terminate);
	stage_free(&u.stage);
	loop_free(u.stage.loop);
	explicit_bzero(&u.stage.credentials, sizeof u.stage.credentials);
	return result;
}
