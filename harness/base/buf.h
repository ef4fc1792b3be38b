/*
 * A growing byte buffer with a limit. Every buffer says at birth how large it may become; past
 * that, append fails and sets `overflow`, and the owner makes that an event or an error: bytes are
 * never dropped silently. Contents are always NUL-terminated one past `len`. Not thread-safe, not
 * shared.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data; /* NULL until the first append */
	size_t len, cap, max;
	bool overflow;
};

struct buf buf_init(size_t max_bytes);
void buf_free(struct buf *);
int buf_append(struct buf *, const void *data, size_t size); /* 0 or -1 (over max) */
int buf_puts(struct buf *, const char *text);
int buf_printf(struct buf *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_consume(struct buf *, size_t size); /* drop from the front */
void buf_clear(struct buf *);                /* keep the memory */
const char *buf_text(const struct buf *);    /* "" when empty, never NULL */

/* Allocation that aborts when memory is out: there is no sensible half way. Zeroed. */
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
