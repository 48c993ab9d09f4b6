<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** What one PHP of this machine says of itself, by `php -i`, which records nothing and makes no spool. */
final class PhpProbe
{
	/** The extension's version; null: it is not loaded. */
	public readonly ?string $opa;
	public readonly string $version;

	/** cli, fpm-fcgi, cgi-fcgi. */
	public readonly string $sapi;

	/** Why nothing is known; '': it is. */
	public readonly string $failure;

	/** Where ini files are looked for; '' where there is no such directory. */
	public readonly string $scanDirectory;
	public readonly string $exporter;

	/** The collector's URL, without credentials; '': traces go into a local store. */
	public readonly string $collector;

	/** Why nothing is recorded, in the extension's words. */
	public readonly string $problem;

	/** @var list<string> */
	public readonly array $warnings;

	/** @var array<string, array{value: string, source: string}> */
	public readonly array $settings;

	/** @param array<string, string> $env */
	public function __construct(public readonly string $path, array $env)
	{
		$child = Child::run([$path, '-i'], '', 10, $env);
		$text = $child->out;
		$this->version = self::find('/^PHP Version => (\S+)/m', $text);
		$this->failure = $this->version !== '' ? ''
			: ($child->err !== '' ? Text::safe(substr($child->err, 0, 200)) : "it ended with code $child->code");
		$this->sapi = match (self::find('/^Server API => (.*)$/m', $text)) {
			'Command Line Interface' => 'cli',
			'FPM/FastCGI' => 'fpm',
			'CGI/FastCGI' => 'cgi',
			default => '?',
		};
		$directory = self::find('/^Scan this dir for additional .ini files => (.*)$/m', $text);
		$this->scanDirectory = str_starts_with($directory, '/') ? $directory : '';
		$own = preg_match('/^opa\n\nopa => .*?(?=\n\n[^\n=]+\n\n|\z)/ms', $text, $m) === 1
			? substr($text, (int) strpos($text, $m[0]), 16384) : '';
		$this->opa = $own === '' ? null : self::find('/^Version => (\S+)/m', $own);
		$this->exporter = self::value(self::find('/^Exporter => (.*)$/m', $own));
		$this->collector = preg_match('~^Traces go to => (\S+://\S+)$~m', $own, $m) === 1 ? $m[1] : '';
		$this->problem = self::value(self::find('/^Problem => (.*)$/m', $own));
		preg_match_all('/^Warning => (.*)$/m', $own, $warnings);
		$this->warnings = $warnings[1];
		preg_match_all('/^(opa\.\w+) => (.*) => ([\w.]+)$/m', $own, $rows, PREG_SET_ORDER);
		$settings = [];
		foreach ($rows as [, $name, $value, $source]) {
			$settings[$name] = ['value' => self::value($value), 'source' => $source];
		}
		$this->settings = $settings;
	}

	public function setting(string $name): string
	{
		return $this->settings[$name]['value'] ?? '';
	}

	/**
	 * What is set, as it stands there: with its secrets. Of the command line's PHP alone, which can be asked.
	 * @param list<string> $names
	 * @param array<string, string> $env
	 * @return ?array<string, string> without those that are not set
	 */
	public function raw(array $names, array $env): ?array
	{
		$sources = array_map(fn (string $n): string => $this->settings[$n]['source'] ?? 'default', $names);
		if ($this->sapi !== 'cli') {
			return null;
		}
		$code = 'echo json_encode(array_map(ini_get(...), ' . var_export($names, true) . '));';
		$child = Child::run([$this->path, '-d', 'opa.enabled=0', '-d', 'display_errors=stderr', '-r', $code], '', 10, $env);
		$given = json_decode($child->out, true);
		$values = [];
		foreach (is_array($given) ? $names : [] as $i => $name) {
			if ($sources[$i] !== 'default') {
				$values[$name] = $sources[$i] === 'ini' ? (string) $given[$i] : $env[$sources[$i]] ?? '';
			}
		}
		return is_array($given) ? $values : null;
	}

	private static function find(string $pattern, string $text): string
	{
		return preg_match($pattern, $text, $m) === 1 ? trim($m[1]) : '';
	}

	/** "-" stands for nothing. */
	private static function value(string $text): string
	{
		return $text === '-' ? '' : $text;
	}
}
