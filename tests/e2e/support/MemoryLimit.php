<?php

declare(strict_types=1);

namespace Opa\Tests;

/** A cgroup of its own with a limit on memory, version 1 or 2. Needs root. */
final class MemoryLimit
{
	private function __construct(private readonly string $directory, private readonly string $events)
	{
	}

	/** Null where none can be made. */
	public static function make(int $bytes): ?self
	{
		$name = 'opa-e2e-' . bin2hex(random_bytes(6));
		foreach ([['/sys/fs/cgroup/memory', 'memory.limit_in_bytes', 'memory.oom_control'],
			['/sys/fs/cgroup', 'memory.max', 'memory.events']] as [$root, $limit, $events]) {
			// Version 2 has to be told; it is no harm where it was.
			@file_put_contents("$root/cgroup.subtree_control", '+memory');
			if (!is_dir($root) || !@mkdir("$root/$name")) {
				continue;
			}
			if (is_file("$root/$name/$limit") && @file_put_contents("$root/$name/$limit", (string) $bytes) !== false) {
				return new self("$root/$name", $events);
			}
			rmdir("$root/$name");
		}
		return null;
	}

	/** What a process writes 0 into to be under it. */
	public function entrance(): string
	{
		return "$this->directory/cgroup.procs";
	}

	/** How many of its processes were killed for it. */
	public function kills(): int
	{
		return preg_match('/^oom_kill (\d+)$/m', (string) file_get_contents("$this->directory/$this->events"), $m) ? (int) $m[1] : -1;
	}

	/** Its processes have ended; the kernel may take a moment to see that. */
	public function remove(): void
	{
		for ($i = 0; $i < 500 && is_dir($this->directory) && !@rmdir($this->directory); $i++) {
			usleep(10_000);
			clearstatcache();
		}
	}
}
