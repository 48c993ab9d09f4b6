<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** What the viewer knows of the process around it. Tests make their own. */
final class Environment
{
	/**
	 * Set when root's viewer started this one: whether standard output and error, which are pipes to
	 * it, end in a terminal.
	 * @var ?array{bool, bool}
	 */
	public ?array $relay = null;

	/** @var list<string> the command line, without the program's name; for what is printed */
	public array $words = [];

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

	/** @param resource $stream standard output or error */
	public function isTerminal($stream): bool
	{
		return $this->relay === null ? stream_isatty($stream) : $this->relay[$stream === STDOUT ? 0 : 1];
	}

	/** Whether root's viewer, for which this one works, has gone. */
	public function isAbandoned(): bool
	{
		$read = [STDIN];
		$none = null;
		return $this->relay !== null && @stream_select($read, $none, $none, 0) > 0
			&& (string) fread(STDIN, 1) === '';
	}

	/**
	 * This command as somebody would type it to run it as that user.
	 * @param bool $sudo also as root, where --user would do
	 */
	public function commandAs(Identity $who, bool $sudo = false): string
	{
		$words = [];
		$isValue = false;
		foreach ($this->words as $word) {
			if (!$isValue && $word !== '--user' && !str_starts_with($word, '--user=')) {
				$words[] = preg_match('~^[\w./:=@%+,-]+$~D', $word) === 1 ? $word : escapeshellarg($word);
			}
			$isValue = !$isValue && $word === '--user';
		}
		$line = 'opa ' . implode(' ', $words);
		if ($who->uid === 0) {
			return "sudo $line --user root";
		}
		$name = $who->name === (string) $who->uid ? "'#$who->uid'" : $who->name;
		return $this->user->uid === 0 && !$sudo ? "$line --user " . trim($name, "'#") : "sudo -u $name $line";
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
