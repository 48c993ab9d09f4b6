/*
 * Starting a program that is nobody's child: no SIGCHLD, nothing for the caller's waitpid(-1), no
 * zombie, no descriptor, signal or working directory of its handed on.
 *
 * A process in between starts the program and ends, and init adopts it. The memory of the caller is
 * lent to both until the execve(2), not copied: the page tables of a process of some gigabytes take
 * longer to copy than all the rest, hundreds of milliseconds.
 *
 * Where the caller is itself the init of its pid namespace (a container's command), it would adopt
 * the program. There the process in between stays until the program has ended, as its parent,
 * asleep on a stack of its own in the caller's memory, with no descriptor open and all signals
 * blocked; the next opa_spawn() takes it away. That needs memory to be shared, which is not done on
 * a kernel before 5.16 where a filter of system calls (seccomp) is set: there a core dump of one
 * process would kill all that share its memory. Init then sees the program as its child.
 */
#ifndef OPA_SPAWN_H
#define OPA_SPAWN_H

/* `handed_on` and `notes` have to be at or above this: below it descriptors are put in place. */
#define OPA_SPAWN_FD_ASIDE 10

/* All of it is lent for the call. */
typedef struct opa_spawn_plan {
	const char *path;         /* of the program, absolute */
	char *const *arguments;   /* with a NULL at their end, as is the environment */
	char *const *environment; /* all of it */
	int handed_on;            /* becomes the program's descriptor 3 */
	int notes;                /* a directory: there the file `note` gets the errno of a failed */
	const char *note;         /* execve(2), in decimal */
} opa_spawn_plan;

/*
 * Starts the program with descriptors 0 to 2 on /dev/null, in a session of its own, in "/", umask
 * 077, no signal blocked or ignored, RLIMIT_FSIZE and RLIMIT_CPU at their hard limits. Answers
 * errno, 0 when a process was started; whether its execve(2) has failed then, the note tells.
 * Returns when the program's image is loaded; does not wait for anything that it does. Any thread.
 */
int opa_spawn(const opa_spawn_plan *plan);

#endif
