<?php

declare(strict_types=1);

namespace Opa\Tests;

/** What /proc knows. */
final class Processes
{
	/** @return list<int> */
	public static function children(int $pid): array
	{
		$text = (string) @file_get_contents("/proc/$pid/task/$pid/children");
		return array_map('intval', preg_split('/ /', $text, -1, PREG_SPLIT_NO_EMPTY));
	}

	/**
	 * Exporters whose spool has this text in its path.
	 * @return list<int>
	 */
	public static function exporters(string $spool): array
	{
		return array_keys(array_filter(self::commands(), static fn (array $arguments): bool
			=> basename($arguments[0]) === 'opa-exporter' && str_contains(implode(' ', $arguments), $spool)));
	}

	/** @return array<int, non-empty-list<string>> the command lines by pid; kernel threads and zombies have none */
	private static function commands(): array
	{
		$found = [];
		foreach (scandir('/proc') as $pid) {
			$line = ctype_digit($pid) ? (string) @file_get_contents("/proc/$pid/cmdline") : '';
			if ($line !== '') {
				$found[(int) $pid] = explode("\0", rtrim($line, "\0"));
			}
		}
		return $found;
	}

	/** R, S, Z, ...; '' when there is no such process. */
	public static function state(int $pid): string
	{
		$stat = (string) @file_get_contents("/proc/$pid/stat");
		return $stat === '' ? '' : $stat[strrpos($stat, ')') + 2];
	}

	public static function parent(int $pid): int
	{
		$stat = (string) @file_get_contents("/proc/$pid/stat");
		return $stat === '' ? 0 : (int) explode(' ', substr($stat, strrpos($stat, ')') + 4))[0];
	}

	/** @return list<int> dead children that this process has not reaped */
	public static function zombies(int $parent): array
	{
		return array_values(array_filter(array_map('intval', array_filter(scandir('/proc'), 'ctype_digit')),
			static fn (int $pid): bool => self::state($pid) === 'Z' && self::parent($pid) === $parent));
	}

	/** Resident memory in KiB; 0 when there is no such process. */
	public static function memory(int $pid): int
	{
		$status = (string) @file_get_contents("/proc/$pid/status");
		return preg_match('/^VmRSS:\s+(\d+) kB$/m', $status, $m) ? (int) $m[1] : 0;
	}
}
