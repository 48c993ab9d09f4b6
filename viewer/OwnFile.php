<?php

declare(strict_types=1);

namespace Opa\Viewer;

/**
 * Small files of a spool. A spool may have been made by anybody: only regular files of the owner's
 * are read, no symlink is followed, and nothing that could block (a FIFO, a device) is waited for.
 */
final class OwnFile
{
	/** @return ?array<string, int> as of lstat(); null when nothing is there */
	public static function stat(string $path): ?array
	{
		clearstatcache(true, $path);
		return @lstat($path) ?: null;
	}

	public static function isDirectory(string $path): bool
	{
		return self::isOfType(self::stat($path), 0040000);
	}

	/** @param ?array<string, int> $stat */
	public static function isRegular(?array $stat): bool
	{
		return self::isOfType($stat, 0100000);
	}

	/** The beginning of the file; '' when it is not there, or not that user's own. */
	public static function read(string $path, int $owner, int $bytes): string
	{
		$file = self::open($path, $owner);
		return $file === null ? '' : (string) stream_get_contents($file, $bytes);
	}

	/** @return ?resource */
	public static function open(string $path, int $owner)
	{
		$before = self::stat($path);
		if (!self::isRegular($before) || $before['uid'] !== $owner) {
			return null;
		}
		$file = @fopen($path, 'rn'); // n: O_NONBLOCK, should it have become a FIFO by now
		$after = $file === false ? false : fstat($file);
		$same = $after !== false && [$after['dev'], $after['ino']] === [$before['dev'], $before['ino']];
		return $same ? $file : null;
	}

	/** @param ?array<string, int> $stat */
	private static function isOfType(?array $stat, int $type): bool
	{
		return $stat !== null && ($stat['mode'] & 0170000) === $type;
	}
}
