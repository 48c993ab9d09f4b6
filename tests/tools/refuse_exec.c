/*
 * To be preloaded: the process, once it runs, may execute no other program, as under the seccomp
 * filter of a hardened service. execve(2) answers EPERM, or kills with OPA_REFUSE_EXEC=kill.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

__attribute__((constructor)) static void refuse_exec(void)
{
	const char *how = getenv("OPA_REFUSE_EXEC");
	unsigned action = how != NULL && strcmp(how, "kill") == 0 ? SECCOMP_RET_KILL_PROCESS
															  : SECCOMP_RET_ERRNO | 1 /* EPERM */;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execve, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_execveat, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = sizeof(code) / sizeof(*code), .filter = code};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
		abort();
	}
}
