/*
 * Identities and digests: first 8 bytes (big endian) of SHA-256, so that the number printed as 16
 * hex digits is the digest of interface.md ("Dialect plain").
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Identity of a call id string: tap, worker and checkers agree on it without a shared table. */
uint64_t hash_id(const char *id, size_t length);
/* H0 = hash("call|" ID). */
uint64_t hash_chain_start(const char *id, size_t length);
/* Hi = hash(hex16(previous) "|" i "|" token). token: 16 hex digits of `token`. */
uint64_t hash_chain_next(uint64_t previous, uint32_t i, uint64_t token);
void hash_hex16(uint64_t v, char out[17]);
/* Returns 0 and sets *ret, or -1 when text is not exactly 16 lower-case hex digits. */
int hash_parse_hex16(const char *text, size_t length, uint64_t *ret);
/* Whole SHA-256 as 64 hex digits, for scenario digests. */
void hash_sha256_hex(const void *data, size_t size, char out[65]);

#endif
