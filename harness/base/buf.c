#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum { FIRST_BYTES = 64 };

struct buf buf_init(size_t max_bytes)
{
	return (struct buf){ .max = max_bytes };
}

void buf_free(struct buf *buf)
{
	free(buf->data);
	buf->data = NULL;
	buf->len = buf->cap = 0;
}

/* Room for `size` more bytes and the NUL. */
static int reserve(struct buf *buf, size_t size)
{
	if (size > buf->max - buf->len) {
		buf->overflow = true;
		return -1;
	}
	size_t need = buf->len + size + 1;
	if (need <= buf->cap)
		return 0;
	size_t cap = buf->cap ? buf->cap : FIRST_BYTES;
	while (cap < need)
		cap *= 2;
	if (cap > buf->max + 1)
		cap = buf->max + 1;
	buf->data = xrealloc(buf->data, cap);
	buf->cap = cap;
	return 0;
}

int buf_append(struct buf *buf, const void *data, size_t size)
{
	if (reserve(buf, size) < 0)
		return -1;
	if (size)
		memcpy(buf->data + buf->len, data, size);
	buf->len += size;
	buf->data[buf->len] = '\0';
	return 0;
}

int buf_puts(struct buf *buf, const char *text)
{
	return buf_append(buf, text, strlen(text));
}

int buf_printf(struct buf *buf, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int size = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	ASSERT(size >= 0);
	if (reserve(buf, (size_t)size) < 0)
		return -1;
	va_start(ap, fmt);
	vsnprintf(buf->data + buf->len, (size_t)size + 1, fmt, ap);
	va_end(ap);
	buf->len += (size_t)size;
	return 0;
}

void buf_consume(struct buf *buf, size_t size)
{
	ASSERT(size <= buf->len);
	if (!size)
		return;
	buf->len -= size;
	memmove(buf->data, buf->data + size, buf->len + 1);
}

void buf_clear(struct buf *buf)
{
	buf->len = 0;
	buf->overflow = false;
	if (buf->data)
		buf->data[0] = '\0';
}

const char *buf_text(const struct buf *buf)
{
	return buf->data ? buf->data : "";
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		assert_failed(__FILE__, __LINE__, "enough memory");
	return p;
}

void *xrealloc(void *p, size_t size)
{
	p = realloc(p, size ? size : 1);
	if (!p)
		assert_failed(__FILE__, __LINE__, "enough memory");
	return p;
}

char *xstrdup(const char *s)
{
	size_t size = strlen(s) + 1;

	return memcpy(xrealloc(NULL, size), s, size);
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	int size = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (size < 0)
		assert_failed(__FILE__, __LINE__, "enough memory");
	return text;
}
