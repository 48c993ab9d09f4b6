#include "opa_mapping.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What the handler knows of a mapping. The size is written first and read last. */
typedef struct region {
	_Atomic(uintptr_t) at; /* 0: the place is free; TAKEN: it is being filled */
	_Atomic(size_t) size;
	atomic_bool cut;
} region;

#define TAKEN ((uintptr_t)1)

typedef enum guard {
	NONE,
	GUARDING, /* installed is being filled, or is */
	GONE,     /* for good: who has the signal now may hand it on to us */
} guard;

static region regions[OPA_MAPPINGS_MAX];
static atomic_int state = NONE;
static struct sigaction before; /* written once, before the handler can be called */

/* ---- the signal ---- */

static region *find(uintptr_t address)
{
	for (unsigned i = 0; i < OPA_MAPPINGS_MAX; i++) {
		uintptr_t at = atomic_load(&regions[i].at);
		if (at > TAKEN && address >= at && address - at < atomic_load(&regions[i].size)) {
			return &regions[i];
		}
	}
	return NULL;
}

/* Any thread, at any moment: system calls and lock-free atomics only. */
static bool mend(uintptr_t address)
{
	region *r = find(address);
	if (r == NULL) {
		return false;
	}
	void *at = (void *)atomic_load(&r->at);
	size_t size = atomic_load(&r->size);
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
	atomic_store(&r->cut, true);
	return mmap(at, size, PROT_READ | PROT_WRITE, flags, -1, 0) == at;
}

/* As it came: a handler, or a wait for it, sees who has sent it. raise() would be ourselves. */
static void send_on(int number, siginfo_t *info)
{
	pid_t thread = (pid_t)syscall(SYS_gettid);
	if (syscall(SYS_rt_tgsigqueueinfo, getpid(), thread, number, info) != 0) {
		raise(number);
	}
}

/* What was not a fault of ours happens again, or is sent again, as if we had not been asked. */
static void on_sigbus(int number, siginfo_t *info, void *context)
{
	int problem = errno;
	bool is_fault = info->si_code > 0;
	(void)context;
	if (!is_fault || !mend((uintptr_t)info->si_addr)) {
		atomic_store(&state, GONE);
		sigaction(SIGBUS, &before, NULL);
		if (!is_fault) {
			send_on(number, info);
		}
	}
	errno = problem;
}

/* A fault of a thread that blocks the signal kills the process, whatever handler there is. */
static bool is_ours(void)
{
	struct sigaction now;
	sigset_t blocked;
	return sigaction(SIGBUS, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) != 0 &&
		   now.sa_sigaction == on_sigbus && pthread_sigmask(SIG_BLOCK, NULL, &blocked) == 0 &&
		   sigismember(&blocked, SIGBUS) == 0;
}

static bool install(void)
{
	struct sigaction action = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	sigemptyset(&action.sa_mask);
	if (sigaction(SIGBUS, NULL, &before) == 0 && sigaction(SIGBUS, &action, NULL) == 0) {
		return true;
	}
	atomic_store(&state, GONE);
	return false;
}

/* Once for each process: who takes the signal after us may hand it on, and we would hand it back.
 */
static bool guard_signal(void)
{
	int none = NONE;
	return atomic_compare_exchange_strong(&state, &none, GUARDING) ? install()
																   : none == GUARDING && is_ours();
}

/* ---- mappings ---- */

static bool take_place(unsigned *place)
{
	for (unsigned i = 0; i < OPA_MAPPINGS_MAX; i++) {
		uintptr_t none = 0;
		if (atomic_compare_exchange_strong(&regions[i].at, &none, TAKEN)) {
			*place = i;
			return true;
		}
	}
	return false;
}

bool opa_mapping_open(opa_mapping *mapping, int fd, size_t size)
{
	*mapping = (opa_mapping){0};
	if (!guard_signal() || !take_place(&mapping->place)) {
		return false;
	}
	region *r = &regions[mapping->place];
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	atomic_store(&r->cut, false);
	atomic_store(&r->size, size);
	atomic_store(&r->at, at != MAP_FAILED ? (uintptr_t)at : 0);
	mapping->at = at != MAP_FAILED ? at : NULL;
	return mapping->at != NULL;
}

bool opa_mapping_holds(const opa_mapping *mapping)
{
	return mapping->at != NULL && atomic_load_explicit(&state, memory_order_relaxed) == GUARDING &&
		   !atomic_load_explicit(&regions[mapping->place].cut, memory_order_relaxed);
}

bool opa_mapping_check(const opa_mapping *mapping)
{
	if (opa_mapping_holds(mapping) && !is_ours()) {
		atomic_store(&state, GONE);
	}
	return opa_mapping_holds(mapping);
}

/* The address may be another thread's mapping as soon as it is not ours. */
void opa_mapping_close(opa_mapping *mapping)
{
	if (mapping->at != NULL) {
		region *r = &regions[mapping->place];
		atomic_store(&r->at, TAKEN);
		munmap(mapping->at, atomic_load(&r->size));
		atomic_store(&r->at, 0);
		*mapping = (opa_mapping){0};
	}
}
