/*
 * An error on its way up. Library code never prints: it fills a struct err, callers prepend context
 * ("alb driver: set weights: ..."), and command/ prints it once.
 *
 * An err is a plain value: zero-initialise it, pass its address, never free it. Functions return 0
 * or -1 and leave ret_ outputs untouched on failure. Texts are truncated at ERR_TEXT_MAX, never
 * overrun. Not for drops of calls: those are news and go to the record.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>

enum { ERR_TEXT_MAX = 512 };

/* Who is to blame: chooses the exit code (interface.md, "Exit codes"). */
enum err_kind {
	ERR_NONE = 0,
	ERR_INPUT, /* bad scenario, flag or run directory: 104 */
	/* the outside refused: a failed action; 98 where a deployed system would not have us begin;
	 * 97 while starting the local stack */
	ERR_WORLD,
	ERR_HARNESS, /* our own fault: 97 */
};

struct err {
	enum err_kind kind;
	char text[ERR_TEXT_MAX];
};

/* Set kind and text; both return -1 so that `return err_set(...)` reads well. err may be NULL. */
int err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Same, with ": strerror(errnum)" appended. */
int err_errno(struct err *err, enum err_kind kind, int errnum, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Prepend "context: ". */
int err_context(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Assertions for our own bugs, always on, values printed. Never on the result of a syscall. */
#define ASSERT(cond) ((cond) ? (void)0 : assert_failed(__FILE__, __LINE__, #cond))
#define ASSERT_EQ(a, b)                                                             \
	do {                                                                        \
		long long a_ = (long long)(a), b_ = (long long)(b);                 \
		if (a_ != b_)                                                       \
			assert_failed_eq(__FILE__, __LINE__, #a " == " #b, a_, b_); \
	} while (0)
_Noreturn void assert_failed(const char *file, int line, const char *what);
_Noreturn void assert_failed_eq(const char *file, int line, const char *what, long long a,
				long long b);

#endif
