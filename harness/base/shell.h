/*
 * Words for a POSIX shell to read, in what people and scripts are told to type. Nothing here runs a
 * shell.
 */
#ifndef BASE_SHELL_H
#define BASE_SHELL_H

#include "base/buf.h"

/* In single quotes, whatever it is. */
void shell_quote(struct buf *out, const char *text);
/* As it is when nothing in it means something to a shell, else quoted. */
void shell_word(struct buf *out, const char *word);

#endif
