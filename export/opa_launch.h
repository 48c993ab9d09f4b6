/*
 * Starting opa-exporter from a PHP process, unseen by the program: no SIGCHLD, nothing for its
 * waitpid(-1), no zombie, no descriptor and no environment of its handed on.
 *
 * The spool's lease decides who: it is locked by the starter with a try-lock and the locked
 * descriptor is handed to the exporter as its descriptor 3, so that between "it is free" and "it is
 * mine" nobody can step in, and of 200 processes that look at once one starts one exporter.
 */
#ifndef OPA_LAUNCH_H
#define OPA_LAUNCH_H

#include "opa_spool.h"

typedef enum opa_launch_result {
	OPA_LAUNCH_BUSY,    /* an exporter has the lease */
	OPA_LAUNCH_STARTED, /* a process was started; whether it lives, `state` and the lease tell */
	OPA_LAUNCH_RECENT,  /* the lease is free, but somebody started one less than a second ago, or
						   less than five and it could not run */
	OPA_LAUNCH_MISSING, /* no executable file at the path */
	OPA_LAUNCH_FAILED,  /* no lease file, or clone(2) was refused */
	OPA_LAUNCH_AGAIN,   /* as STARTED, but the one that was started before could not run */
} opa_launch_result;

/*
 * Starts the exporter (an absolute path) if the lease is free:
 *
 *     <exporter_path> --spool <spool->path> --lease-fd 3
 *
 * with PATH as its whole environment, descriptors 0 to 2 on /dev/null and 3 the locked lease, in a
 * session of its own, in "/", umask 077, no signal blocked or ignored, RLIMIT_FSIZE and RLIMIT_CPU
 * at their hard limits. The lease's time of change is that of the last start.
 *
 * Takes about a millisecond, however large the process is (opa_spawn.h), and never waits for what
 * the exporter does; any thread, no lock held. *system_error is errno where the result is MISSING
 * or FAILED, what opa_launch_problem() would have answered before where it is AGAIN, else 0. A
 * failed execve(2) leaves its errno in <spool>/launch.
 */
opa_launch_result opa_launch(const opa_spool *spool, const char *exporter_path, int *system_error);

/*
 * What is known against the last start: errno of its execve(2); OPA_LAUNCH_MUTE when the program
 * has ended without having written `state`, which is the first thing that it does (a library of its
 * is missing, a filter of system calls has killed it); 0 when nothing is. For people who ask, as
 * opa_launch_is_running().
 */
#define OPA_LAUNCH_MUTE (-1)
int opa_launch_problem(const opa_spool *spool);

/* Why the path cannot be executed: errno; 0 when it looks as if it could. */
int opa_launch_check(const char *exporter_path);

/*
 * Whether some process holds the lease now. It is tried for an instant, in which a starter may find
 * it taken: for people who ask, not for the way of a request.
 */
bool opa_launch_is_running(const opa_spool *spool);

#endif
