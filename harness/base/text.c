#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the well-formed UTF-8 sequence at `s`, 0 when there is none (RFC 3629: no surrogates, no
 * overlong forms). */
static size_t sequence(const unsigned char *s)
{
	unsigned low = 0x80, high = 0xbf;
	size_t length = 2;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	if (s[0] >= 0xe0)
		length = s[0] >= 0xf0 ? 4 : 3;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++) {
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	}
	return length;
}

static bool is_control(const unsigned char *s)
{
	return (*s < 0x20 && *s != '\n' && *s != '\t') || *s == 0x7f ||
	       (*s == 0xc2 && s[1] < 0xa0); /* U+0080 to U+009f */
}

void text_scrub(char *text)
{
	for (unsigned char *at = (unsigned char *)text; *at;) {
		size_t length = sequence(at);

		for (size_t i = 0, bad = !length ? 1 : is_control(at) ? length : 0; i < bad; i++)
			at[i] = '?';
		at += length ? length : 1;
	}
}
