/*
 * What a text value may hold: UTF-8 without control characters, so that it is safe on a terminal
 * and in a report and survives being written to YAML and read again. Tab and line feed are fine.
 */
#ifndef SCENARIO_TEXT_H
#define SCENARIO_TEXT_H

#include <stdbool.h>

#include "base/buf.h"

bool text_is_clean(const char *text);
/* In double quotes, for YAML and JSON alike. */
void text_quote(const char *text, struct buf *out);

#endif
