#include "command/core/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"

static const int64_t plain_every_ns = 5 * NS_PER_S;
static const int64_t rate_every_ns = NS_PER_S;

struct progress progress_init(bool quiet)
{
	return (struct progress){ .terminal = isatty(STDERR_FILENO) == 1, .quiet = quiet };
}

static double since_start_s(const struct progress *p, int64_t now_ns)
{
	return p->start_ns ? (double)(now_ns - p->start_ns) / (double)NS_PER_S : 0;
}

void progress_end(struct progress *p)
{
	if (p->open_line)
		fputc('\n', stderr);
	p->open_line = false;
}

void progress_say(struct progress *p, const char *text)
{
	if (p->quiet)
		return;
	progress_end(p);
	fprintf(stderr, "%s\n", text);
}

/* Rewriting needs a line that does not wrap: less room, fewer words. */
static void fit(const struct progress *p, const struct control_counters *c, int64_t now_ns,
		char *line, size_t size)
{
	struct winsize window = { .ws_col = 0 };

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) < 0 || window.ws_col < 2 ||
	    strlen(line) < window.ws_col)
		return;
	if (size > window.ws_col)
		size = window.ws_col;
	snprintf(line, size,
		 "+%5.1f s  %-8s  live %" PRIu32 " = blue %" PRIu32 " + green %" PRIu32
		 " + %" PRIu32 "   dropped %" PRIu32 "   refused %" PRIu32,
		 since_start_s(p, now_ns), phase_name(p->phase), c->live, c->live_blue,
		 c->live_green, c->live - c->live_blue - c->live_green, c->dropped, c->refused);
}

static void show(struct progress *p, const struct control_counters *c, int64_t now_ns)
{
	char line[256];

	snprintf(line, sizeof line,
		 "+%5.1f s  %-8s  live %4" PRIu32 " = blue %4" PRIu32 " + green %4" PRIu32
		 " + between legs %" PRIu32 "   %.0f turns/s   resumed %" PRIu64
		 "   dropped %" PRIu32 "   refused %" PRIu32,
		 since_start_s(p, now_ns), phase_name(p->phase), c->live, c->live_blue,
		 c->live_green, c->live - c->live_blue - c->live_green, p->turns_per_s, c->resumes,
		 c->dropped, c->refused);
	if (p->terminal) {
		fit(p, c, now_ns, line, sizeof(line));
		fprintf(stderr, "\r\033[K%s", line);
		fflush(stderr);
		p->open_line = true;
	} else {
		fprintf(stderr, "%s\n", line);
	}
	p->printed_ns = now_ns;
}

void progress_message(struct progress *p, const struct control_message *m, int64_t now_ns)
{
	if (p->quiet)
		return;
	switch (m->type) {
	case CONTROL_START:
		p->start_ns = m->a;
		break;
	case CONTROL_PHASE:
		p->phase = (enum phase)m->a;
		if (!p->terminal)
			fprintf(stderr, "+%5.1f s  %s\n", since_start_s(p, now_ns), m->text);
		break;
	case CONTROL_NOTE:
		progress_say(p, m->text);
		break;
	case CONTROL_COUNTERS:
		if (now_ns - p->turns_ns >= rate_every_ns) {
			if (p->turns_ns)
				p->turns_per_s = (double)(m->counters.turns - p->turns) *
						 (double)NS_PER_S / (double)(now_ns - p->turns_ns);
			p->turns = m->counters.turns;
			p->turns_ns = now_ns;
		}
		if (p->start_ns && now_ns >= p->start_ns &&
		    (p->terminal || now_ns - p->printed_ns >= plain_every_ns))
			show(p, &m->counters, now_ns);
		break;
	default:
		break;
	}
}
