/*
 * A driver moves traffic at a balancer and reads back what the balancer does. One file per
 * balancer product, one const table `driver_<file name>`. Calls block to a deadline (10 s a call
 * unless said) on the director; nothing is retried in secret.
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

struct driver_settings {
	const char *endpoint;  /* control plane URL */
	const char *rule;      /* rule ARN, or NULL to find it by path */
	const char *path;      /* path pattern of the rule, as the balancer writes it */
	const char *region;    /* NULL: us-east-1 */
	const char *blue, *green; /* target group names, default "blue" and "green" */
};

/* The effective configuration. */
struct driver_view {
	int weight[COLOR_COUNT];
	int group_stickiness_s, target_stickiness_s; /* 0 off */
	int deregistration_delay_s, idle_timeout_s;
	int healthy[COLOR_COUNT], registered[COLOR_COUNT];
	/* All of it, one line, stable order, health left out: comparable with the snapshot. */
	char text[1024];
};

struct driver_session;

struct driver {
	const char *name, *about;
	int (*open)(const struct driver_settings *, struct driver_session **ret, struct err *);
	int (*read)(struct driver_session *, struct driver_view *ret, struct err *);
	/* Changes weights, keeps everything else of the rule (read-modify-write). Returns when the
	 * balancer said yes, which is not propagation. Refuses all-zero weights. */
	int (*set_weights)(struct driver_session *, int blue, int green, struct err *);
	/* Takes all targets of the color out of (or puts them back into) service; live
	 * connections are the balancer's business. */
	int (*deregister)(struct driver_session *, enum color, struct err *);
	/* What deregister took out. */
	int (*reregister)(struct driver_session *, enum color, struct err *);
	void (*close)(struct driver_session *); /* fine with NULL */
};

size_t driver_count(void);
const struct driver *driver_at(size_t i);
const struct driver *driver_find(const char *name);

#endif
