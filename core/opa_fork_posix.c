#include "opa_fork.h"
#include "opa_host.h"

#include <sys/mman.h>
#include <unistd.h>

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

void opa_fork_mark_set(opa_fork_mark *mark)
{
	mark->pid = opa_host_pid();
#ifdef MADV_WIPEONFORK
	if (mark->page == NULL) {
		void *page =
			mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (page != MAP_FAILED && madvise(page, page_size(), MADV_WIPEONFORK) == 0) {
			mark->page = page;
		} else if (page != MAP_FAILED) {
			munmap(page, page_size());
		}
	}
#endif
	if (mark->page != NULL) {
		*mark->page = 1;
	}
}

void opa_fork_mark_clear(opa_fork_mark *mark)
{
	if (mark->page != NULL) {
		munmap((void *)(uintptr_t)mark->page, page_size());
	}
	mark->page = NULL;
	mark->pid = 0;
}

bool opa_fork_mark_has_pid(const opa_fork_mark *mark)
{
	return mark->pid == opa_host_pid();
}
