#include "scenario/text.h"

#include <stdint.h>
#include <string.h>

/* One character; returns its bytes, 0 for what is not UTF-8 (overlong forms included). */
static size_t decode(const unsigned char *p, uint32_t *ret)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t size = *p < 0x80 ? 1 : *p >> 5 == 6 ? 2 : *p >> 4 == 14 ? 3 : *p >> 3 == 30 ? 4 : 0;
	uint32_t c;

	if (size < 2) {
		*ret = *p;
		return size;
	}
	c = *p & (0xffu >> (size + 1));
	for (size_t i = 1; i < size; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	*ret = c;
	return c < smallest[size] ? 0 : size;
}

static bool is_clean(uint32_t c)
{
	if (c < 0x20)
		return c == '\n' || c == '\t';
	if (c >= 0x7f && c < 0xa0) /* delete and the second control block */
		return false;
	if (c == 0x2028 || c == 0x2029) /* line breaks to YAML, folded when read */
		return false;
	return !(c >= 0xd800 && c < 0xe000) && c != 0xfeff && c != 0xfffe && c != 0xffff &&
	       c <= 0x10ffff;
}

bool text_is_clean(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	uint32_t c;

	while (*p) {
		size_t size = decode(p, &c);

		if (!size || !is_clean(c))
			return false;
		p += size;
	}
	return true;
}

void text_quote(const char *text, struct buf *out)
{
	buf_puts(out, "\"");
	for (; *text; text++) {
		if (*text == '\n')
			buf_puts(out, "\\n");
		else if (*text == '\t')
			buf_puts(out, "\\t");
		else
			buf_append(out,
				   *text == '"' || *text == '\\' ? (char[]){ '\\', *text } : text,
				   *text == '"' || *text == '\\' ? 2 : 1);
	}
	buf_puts(out, "\"");
}
