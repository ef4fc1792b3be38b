/*
 * What the fuzz targets share. A target is one parser of bytes that others send us, and a property
 * that holds for any bytes: it is given them, comes back, and ASSERTs. One file a target, named
 * after what it reads; ci/fuzz/corpus/<target>/ holds a few inputs written by hand to begin with.
 * Not a test of what a parser means: that is its unit test's.
 */
#ifndef CI_FUZZ_FUZZ_H
#define CI_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"

/* libFuzzer calls it; 0 always. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy that ends, with a NUL, exactly where it was allocated to: ASan sees a byte too far. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = xcalloc(1, size + 1);

	if (size)
		memcpy(text, data, size);
	return text;
}

/* The piece of a stream that begins at `at`: 1 to 8 bytes, as the input itself has it. */
static inline size_t fuzz_piece(const uint8_t *data, size_t size, size_t at)
{
	size_t piece = 1 + (data[at] * 31u + at) % 8;

	return piece < size - at ? piece : size - at;
}

#endif
