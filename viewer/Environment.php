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

	/** @var ?array{int, int} */
	private ?array $size = null;

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

	/**
	 * Rows and columns of the terminal that the user sits at, wherever the output goes; 0: not known.
	 * @return array{int, int}
	 */
	public function terminalSize(): array
	{
		if ($this->size === null) {
			$this->size = [0, 0];
			if ($this->relay === null && function_exists('shell_exec') && @fopen('/dev/tty', 'r') !== false) {
				$size = explode(' ', trim((string) shell_exec('stty size 2>/dev/null </dev/tty')));
				$this->size = [(int) ($this->get('LINES') ?? $size[0]), (int) ($size[1] ?? 0)];
			}
		}
		return $this->size;
	}

	/** False where a locale is set that is not UTF-8. */
	public function isUnicode(): bool
	{
		$locale = $this->get('LC_ALL') ?? $this->get('LC_CTYPE') ?? $this->get('LANG');
		return $locale === null || preg_match('/utf-?8/i', $locale) === 1;
	}

	/** Whether a program is installed. */
	public function finds(string $program): bool
	{
		foreach (explode(':', $this->get('PATH') ?? '/usr/bin:/bin') as $directory) {
			if (is_executable("$directory/$program")) {
				return true;
			}
		}
		return false;
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
			$this->get('TZ') ?? '',
			$link,
			trim((string) @file_get_contents('/etc/timezone')),
			date_default_timezone_get(),
		];
		foreach ($names as $name) {
			$zone = self::zone($name);
			if ($zone !== null) {
				return $zone;
			}
		}
		return new \DateTimeZone('UTC');
	}

	/** Whether $TZ is set to something that timeZone() cannot follow. */
	public function hasUnknownZone(): bool
	{
		return $this->get('TZ') !== null && self::zone((string) $this->get('TZ')) === null;
	}

	/** A zone by its name, its file, or as POSIX has it without summer time, where west is +. */
	private static function zone(string $name): ?\DateTimeZone
	{
		$name = (string) preg_replace('~^:?(?:.*zoneinfo/(?:posix/|right/)?)?~', '', $name);
		if (in_array($name, \DateTimeZone::listIdentifiers(\DateTimeZone::ALL_WITH_BC), true)) {
			return new \DateTimeZone($name);
		}
		if (preg_match('~^(?:[A-Za-z]{3,}|<[^>]+>)([+-]?)(\d{1,2})(?::(\d\d))?$~D', $name, $m) !== 1
				|| (int) $m[2] > 24) {
			return null;
		}
		return new \DateTimeZone(sprintf('%s%02d:%02d', $m[1] === '-' ? '+' : '-', $m[2], $m[3] ?? 0));
	}
}
