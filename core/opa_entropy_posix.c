#include "opa_entropy.h"
#include "opa_clock.h"

#include <errno.h>
#include <sys/random.h>
#include <unistd.h>

/* SplitMix64 (Steele, Lea, Flood 2014) over what differs between processes and calls. */
static void fill_poorly(unsigned char *bytes, size_t len)
{
	uint64_t state = opa_clock_wall() ^ (opa_clock_mono() << 20) ^ ((uint64_t)getpid() << 40) ^
					 (uint64_t)(uintptr_t)&state;
	for (size_t i = 0; i < len; i++) {
		uint64_t z = (state += 0x9e3779b97f4a7c15u);
		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
		z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
		bytes[i] = (unsigned char)(z >> 56);
	}
}

void opa_entropy_fill(void *bytes, size_t len)
{
	unsigned char *to = bytes;
	while (len > 0) {
		ssize_t got = getrandom(to, len, GRND_NONBLOCK);
		if (got <= 0) {
			if (got < 0 && errno == EINTR) {
				continue;
			}
			fill_poorly(to, len);
			return;
		}
		to += got;
		len -= (size_t)got;
	}
}
