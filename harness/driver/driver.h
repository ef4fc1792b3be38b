/*
 * A driver moves traffic at a balancer and reads back what the balancer does. One file per
 * balancer product, one const table `driver_<file name>`. Calls block to a deadline (10 s a call
 * unless said) on the director. What the balancer throttles or the network loses is asked again
 * within that deadline, and told: driver_view.retries, and the text of an error.
 * A driver judges nothing: it reports what was asked, what was answered, what is effective.
 */
#ifndef DRIVER_DRIVER_H
#define DRIVER_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "record/words.h"

struct process;

/* All strings are copied by open; NULL means the default. */
struct driver_settings {
	const char *endpoint;		 /* control plane URL; NULL: AWS itself */
	const char *monitoring_endpoint; /* metrics; NULL: `endpoint` when given, else AWS itself */
	const char *rule;		 /* rule ARN, or NULL to find it by path */
	const char *path; /* path pattern of the rule, as the balancer writes it, or "default" */
	/* NULL: AWS_REGION, AWS_DEFAULT_REGION, and for an endpoint on loopback us-east-1. The
	 * one in AWS's own endpoint comes first. */
	const char *region;
	const char *blue, *green; /* target group names, default "blue" and "green" */
	int64_t call_within_ns;	  /* deadline of a driver call; 0: 10 s */
	/* exec only: the operator's script, argv, NULL-terminated; argv[0] a path or a name on
	 * PATH. */
	const char *const *command;
	const char *watch; /* exec only: the driver that watches and rolls back; NULL: "alb" */
};

enum { DRIVER_TEXT_MAX = 4000 }; /* what fits a note of the record (lane.h) */

/* The effective configuration. */
struct driver_view {
	int weight[COLOR_COUNT];
	int group_stickiness_s, target_stickiness_s; /* 0 off */
	int deregistration_delay_s, idle_timeout_s;
	int healthy[COLOR_COUNT], registered[COLOR_COUNT];
	unsigned retries; /* calls asked again since open: throttled, or without an answer */
	/* All of it, one line, stable order, health left out: comparable with the snapshot. Never
	 * cut: a longer one is an error of read. */
	char text[DRIVER_TEXT_MAX];
};

struct driver_session;

struct driver {
	const char *name, *about;
	int (*open)(const struct driver_settings *, struct driver_session **ret, struct err *);
	int (*read)(struct driver_session *, struct driver_view *ret, struct err *);
	/* Changes weights, keeps everything else of the rule (read-modify-write). Returns when the
	 * balancer said yes, which is not propagation. Refuses all-zero weights, and a rule that
	 * is not what was read or written here last: somebody else is changing it. That refusal
	 * counts as having read it, so who means it asks again. */
	int (*set_weights)(struct driver_session *, int blue, int green, struct err *);
	/* Takes all targets of the color out of (or puts them back into) service; live
	 * connections are the balancer's business. */
	int (*deregister)(struct driver_session *, enum color, struct err *);
	/* What deregister took out. */
	int (*reregister)(struct driver_session *, enum color, struct err *);
	/* The balancer's own count of connections, client side and target side together, both
	 * colors, minutes late; -1 when it has none to tell. A second witness of a drain, never
	 * its gate. NULL: this balancer does not count. */
	int (*connections)(struct driver_session *, int64_t *ret_count, struct err *);
	/* exec only, NULL for others: starts the operator's own script (settings.command, no shell)
	 * with these variables ("NAME=value", NULL-terminated, or NULL) added to the environment.
	 * Its standard output is the readable descriptor *ret_output (non-blocking, the caller's to
	 * close), stderr is appended to output_path. The process leads a group of its own and is
	 * the caller's to watch, signal (process_signal_group) and reap, which takes the rest of
	 * the group along. */
	int (*launch)(struct driver_session *, const char *const *environment,
		      const char *output_path, struct process *ret, int *ret_output, struct err *);
	void (*close)(struct driver_session *); /* fine with NULL */
};

size_t driver_count(void);
const struct driver *driver_at(size_t i);
const struct driver *driver_find(const char *name);

#endif
