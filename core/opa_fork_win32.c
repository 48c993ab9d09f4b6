#include "opa_fork.h"
#include "opa_host.h"

/* There is no fork. */

void opa_fork_mark_set(opa_fork_mark *mark)
{
	mark->pid = opa_host_pid();
}

void opa_fork_mark_settle(opa_fork_mark *mark)
{
	(void)mark;
}

void opa_fork_mark_clear(opa_fork_mark *mark)
{
	mark->pid = 0;
}

bool opa_fork_mark_has_pid(const opa_fork_mark *mark)
{
	return mark->pid == opa_host_pid();
}
