/*
 * Text of others (an agent's error, a close reason, a name in a certificate), made fit to be shown:
 * it may end up in a terminal, where control characters would act, and in JSON or XML, which hold
 * UTF-8 only.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

/* In place: a '?' for each byte of a control character (C0 but newline and tab, DEL, C1) and for
 * each that is not well-formed UTF-8. */
void text_scrub(char *text);

#endif
