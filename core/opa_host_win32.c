#include "opa_host.h"

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include <stdio.h>

uint64_t opa_host_pid(void)
{
	return GetCurrentProcessId();
}

uint64_t opa_host_uid(void)
{
	return 0;
}

void opa_host_name(char *to, size_t size)
{
	DWORD len = (DWORD)size;
	if (!GetComputerNameExA(ComputerNameDnsHostname, to, &len)) {
		to[0] = '\0';
	}
}

void opa_host_arch(char *to, size_t size)
{
	SYSTEM_INFO info;
	GetNativeSystemInfo(&info);
	const char *name = info.wProcessorArchitecture == PROCESSOR_ARCHITECTURE_AMD64   ? "amd64"
					   : info.wProcessorArchitecture == PROCESSOR_ARCHITECTURE_ARM64 ? "arm64"
					   : info.wProcessorArchitecture == PROCESSOR_ARCHITECTURE_INTEL ? "x86"
																					 : "";
	snprintf(to, size, "%s", name);
}

void opa_host_container_id(char *to, size_t size)
{
	(void)size;
	to[0] = '\0';
}

const char *opa_host_os(void)
{
	return "windows";
}
