<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** Whether the process that a file of the spool belongs to is still there (export/opa_owner.h). */
final class Owner
{
	private const ESRCH = 3;

	/**
	 * @param string $block the owner as it stands in the file
	 * @param resource $file which its owner has locked; that decides where the process cannot be looked at
	 */
	public static function isGone(string $block, $file): bool
	{
		[, $pid, $namespaces, $start, $boot] = unpack('q4', $block) + [0, 0, 0, 0, 0];
		if ($boot !== 0 && !in_array(self::boot(), [0, $boot], true)) {
			return true;
		}
		if ($pid > 0 && $start !== 0 && $namespaces !== 0 && $namespaces === self::namespaces()
				&& (self::process('self')['pid'] ?? 0) === getmypid()) {
			$process = self::process((string) $pid);
			if ($process !== null) {
				return $process['start'] !== $start || $process['dead'];
			}
			// Or it is another user's by now, and hidden.
			if (function_exists('posix_kill') && !posix_kill($pid, 0) && posix_get_last_error() === self::ESRCH) {
				return true;
			}
		}
		return flock($file, LOCK_SH | LOCK_NB);
	}

	private static function boot(): int
	{
		$hex = str_replace('-', '', (string) @file_get_contents('/proc/sys/kernel/random/boot_id'));
		$id = 0;
		for ($i = 0; $i < 16 && preg_match('~^[0-9a-f]{16}~', $hex) === 1; $i++) {
			$id = $id << 4 | hexdec($hex[$i]);
		}
		return $id;
	}

	private static function namespaces(): int
	{
		$pids = @stat('/proc/self/ns/pid')['ino'] ?? 0;
		$times = @stat('/proc/self/ns/time')['ino'] ?? 0;
		return $pids === 0 ? 0 : ($pids & 0xffffffff) | ($times & 0xffffffff) << 32;
	}

	/** @return ?array{pid: int, start: int, dead: bool} null when there is none */
	private static function process(string $pid): ?array
	{
		$stat = (string) @file_get_contents("/proc/$pid/stat");
		$fields = explode(' ', substr($stat, (int) strrpos($stat, ')') + 2)); // from the third
		if (count($fields) < 20) {
			return null;
		}
		// A leader that has left its other threads behind is shown as a zombie and lives all the same.
		$dead = $fields[0] === 'X' || ($fields[0] === 'Z' && (int) $fields[17] <= 1);
		return ['pid' => (int) $stat, 'start' => (int) $fields[19], 'dead' => $dead];
	}
}
