<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** A user of this system. Works without the posix extension. */
final class Identity
{
	public function __construct(
		public readonly int $uid,
		public readonly int $gid,
		public readonly string $name,
		public readonly ?string $home,
	) {
	}

	public static function current(): self
	{
		if (function_exists('posix_geteuid')) {
			return self::byUid(posix_geteuid());
		}
		$stat = @stat('/proc/self');
		return self::byUid($stat === false ? getmyuid() : $stat['uid']);
	}

	public static function byUid(int $uid): self
	{
		if (function_exists('posix_getpwuid')) {
			$entry = posix_getpwuid($uid) ?: null;
		} else {
			$entry = self::search(static fn (array $e): bool => $e['uid'] === $uid);
		}
		return self::make($entry) ?? new self($uid, $uid, (string) $uid, null);
	}

	/** By name or number; null when there is no such user. */
	public static function byName(string $name): ?self
	{
		if (preg_match('~^[0-9]+$~D', $name)) {
			return self::byUid((int) $name);
		}
		if (function_exists('posix_getpwnam')) {
			return self::make(posix_getpwnam($name) ?: null);
		}
		return self::make(self::search(static fn (array $e): bool => $e['name'] === $name));
	}

	/** @return list<int> the groups of this process, which is this user's */
	public function groups(): array
	{
		if (function_exists('posix_getgroups')) {
			return [posix_getegid(), ...(posix_getgroups() ?: [])];
		}
		$status = (string) @file_get_contents('/proc/self/status');
		preg_match('/^Groups:(.*)$/m', $status, $m);
		return array_map('intval', preg_split('/\s+/', trim($m[1] ?? ''), -1, PREG_SPLIT_NO_EMPTY));
	}

	/** @param ?array{name: string, uid: int, gid: int, dir: string} $entry */
	private static function make(?array $entry): ?self
	{
		if ($entry === null) {
			return null;
		}
		return new self($entry['uid'], $entry['gid'], $entry['name'], $entry['dir'] ?: null);
	}

	/** @param callable(array): bool $wanted */
	private static function search(callable $wanted): ?array
	{
		foreach (@file('/etc/passwd', FILE_IGNORE_NEW_LINES) ?: [] as $line) {
			$f = explode(':', $line);
			if (count($f) < 7) {
				continue;
			}
			$e = ['name' => $f[0], 'uid' => (int) $f[2], 'gid' => (int) $f[3], 'dir' => $f[5]];
			if ($wanted($e)) {
				return $e;
			}
		}
		return null;
	}
}
