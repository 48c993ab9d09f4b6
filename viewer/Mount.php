<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** The file system that a path lies on. */
final class Mount
{
	/** @param list<string> $options */
	private function __construct(
		public readonly string $point,
		public readonly string $type,
		public readonly array $options,
	) {
	}

	/** Null where that cannot be known. */
	public static function of(string $path, string $table = '/proc/self/mounts'): ?self
	{
		$path = realpath($path) ?: $path;
		$found = null;
		foreach (@file($table, FILE_IGNORE_NEW_LINES) ?: [] as $line) {
			$fields = explode(' ', $line);
			if (count($fields) < 4) {
				continue;
			}
			$point = stripcslashes($fields[1]);
			$isAbove = $point === '/' || $path === $point || str_starts_with($path, "$point/");
			// The last of those at one place is the one that is seen.
			if ($isAbove && strlen($point) >= strlen($found->point ?? '')) {
				$found = new self($point, $fields[2], explode(',', $fields[3]));
			}
		}
		return $found;
	}

	public function isMemory(): bool
	{
		return in_array($this->type, ['tmpfs', 'ramfs'], true);
	}

	public function forbidsPrograms(): bool
	{
		return in_array('noexec', $this->options, true);
	}
}
