/*
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4): the processor's own instruction where it has one,
 * tables where not. Any thread may call it.
 */
#ifndef OPA_CRC32C_H
#define OPA_CRC32C_H

#include "opa_base.h"

/*
 * The checksum of len bytes; crc is 0, or the checksum of what stands in front of them:
 * opa_crc32c(opa_crc32c(0, a, n), b, m) is the checksum of a and b in a row.
 */
uint32_t opa_crc32c(uint32_t crc, const void *data, size_t len);

/* The same from tables alone, whatever the processor can do: what tests compare with. */
uint32_t opa_crc32c_portable(uint32_t crc, const void *data, size_t len);

#endif
