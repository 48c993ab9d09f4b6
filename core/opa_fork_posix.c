#include "opa_fork.h"
#include "opa_host.h"

#include <sys/mman.h>
#include <unistd.h>

typedef volatile unsigned char flag;

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

void opa_fork_mark_set(opa_fork_mark *mark)
{
	flag *page = atomic_load(&mark->page);
	mark->pid = opa_host_pid();
	if (page != NULL) {
		*page = 1;
	}
}

void opa_fork_mark_settle(opa_fork_mark *mark)
{
#ifdef MADV_WIPEONFORK
	if (atomic_load(&mark->page) != NULL) {
		return;
	}
	flag *page =
		mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED) {
		return;
	}
	if (madvise((void *)(uintptr_t)page, page_size(), MADV_WIPEONFORK) != 0) {
		munmap((void *)(uintptr_t)page, page_size());
		return;
	}
	*page = 1;
	atomic_store(&mark->page, page);
#else
	(void)mark;
#endif
}

void opa_fork_mark_clear(opa_fork_mark *mark)
{
	flag *page = atomic_exchange(&mark->page, NULL);
	if (page != NULL) {
		munmap((void *)(uintptr_t)page, page_size());
	}
	mark->pid = 0;
}

bool opa_fork_mark_has_pid(const opa_fork_mark *mark)
{
	return mark->pid == opa_host_pid();
}
