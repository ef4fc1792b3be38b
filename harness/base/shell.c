#include "base/shell.h"

#include <string.h>

void shell_quote(struct buf *out, const char *text)
{
	buf_puts(out, "'");
	for (; *text; text++) {
		if (*text == '\'')
			buf_puts(out, "'\\''");
		else
			buf_append(out, text, 1);
	}
	buf_puts(out, "'");
}

void shell_word(struct buf *out, const char *word)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%";

	if (*word && !word[strspn(word, plain)])
		buf_puts(out, word);
	else
		shell_quote(out, word);
}
