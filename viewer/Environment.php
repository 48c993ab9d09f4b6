<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** What the viewer knows of the process around it. Tests make their own. */
final class Environment
{
	/**
	 * @param array<string, string> $variables
	 * @param string $root put in front of the system's places (/run/opa, /var/lib/opa, ...): tests
	 */
	public function __construct(
		public array $variables,
		public Identity $user,
		public readonly string $root = '',
	) {
	}

	public static function fromProcess(): self
	{
		return new self(getenv(), Identity::current());
	}

	/** A variable; an empty one counts as unset. */
	public function get(string $name): ?string
	{
		$value = $this->variables[$name] ?? '';
		return $value === '' ? null : $value;
	}

	/** One of the extension's settings, if it is loaded in this PHP and the setting is not empty. */
	public function setting(string $name): ?string
	{
		$value = ini_get($name);
		return is_string($value) && $value !== '' ? $value : null;
	}

	/**
	 * The time zone of the user, which PHP does not look up by itself: $TZ, then the system's, then
	 * date.timezone.
	 */
	public function timeZone(): \DateTimeZone
	{
		$link = @readlink('/etc/localtime') ?: '';
		$names = [
			ltrim($this->get('TZ') ?? '', ':'),
			preg_replace('~^.*zoneinfo/(posix/|right/)?~', '', $link),
			trim((string) @file_get_contents('/etc/timezone')),
			date_default_timezone_get(),
		];
		foreach ($names as $name) {
			try {
				return new \DateTimeZone($name === '' ? '?' : $name);
			} catch (\Exception) {
				continue;
			}
		}
		return new \DateTimeZone('UTC');
	}
}
