<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** A collector as the command line of `opa send` names it, and as opa-exporter takes it. */
final class CollectorOptions
{
	/** Options for the names of the settings in what the exporter says. */
	private const NAMES = ['opa.headers' => '--header', 'opa.endpoint' => 'the endpoint',
		'opa.ca_file' => '--ca-file', 'opa.cert_file' => '--cert-file', 'opa.key_file' => '--key-file',
		'opa.proxy' => '--proxy', 'opa.timeout' => '--timeout', 'opa.compression' => '--compression'];

	private const FILES = ['ca-file', 'cert-file', 'key-file'];

	public readonly string $endpoint;

	/** @var array<string, string> */
	private array $headers = [];

	private readonly int $timeout;
	private readonly string $compression;

	/** @return list<Option> */
	public static function options(): array
	{
		return [
			new Option('header', 'NAME=VALUE', 'send this header; repeatable; @FILE: lines of a file, which ps does not show',
				true, '', true),
			new Option('ca-file', 'FILE', "certificates that the collector's is checked against; else the system's"),
			new Option('cert-file', 'FILE', 'the certificate to show to it'),
			new Option('key-file', 'FILE', 'the key of that certificate'),
			new Option('proxy', 'URL', 'a proxy on the way: http://proxy:3128'),
			new Option('compression', 'HOW', 'gzip (default) or none'),
			new Option('timeout', 'DURATION', 'what one request may take (default 10s)'),
		];
	}

	public function __construct(private readonly Options $options)
	{
		$this->endpoint = $options->arguments[0]
			?? throw new UsageError('where to? http://collector:4318, https://..., unix:///path');
		if (preg_match('~^(https?://[^/?@]|unix:///|https?://[^/?]*@[^/?])[\x21-\x7e]*$~D', $this->endpoint) !== 1) {
			throw new UsageError('the endpoint is no URL that begins with http://, https:// or unix:///');
		}
		$this->compression = $options->oneOf('compression', ['gzip', 'none'], 'gzip');
		$this->timeout = intdiv(Clock::parseDuration($options->get('timeout') ?? '10s', '--timeout'), 1_000_000);
		if ($this->timeout < 100 || $this->timeout > 600_000) {
			throw new UsageError('--timeout: from 100ms to 600s');
		}
		if (preg_match('/[\x00-\x1f]/', implode('', array_map($options->get(...), ['proxy', ...self::FILES]))) === 1) {
			throw new UsageError('a value has control characters in it');
		}
		foreach ($options->all('header') as $header) {
			if (!str_starts_with($header, '@')) {
				$this->addHeader($header, '--header');
			}
		}
	}

	/**
	 * The lines of a definition (export/opa_definition.h).
	 * @return list<string>
	 */
	public function definition(): array
	{
		$lines = ["url=$this->endpoint", "timeout=$this->timeout", "compression=$this->compression"];
		foreach (self::FILES as $name) {
			$path = $this->options->get($name);
			if ($path !== null) {
				$real = realpath($path);
				if ($real === false || !is_readable($real)) {
					throw new Problem("--$name: $path cannot be read");
				}
				$lines[] = strtr($name, '-', '_') . "=$real";
			}
		}
		$proxy = $this->options->get('proxy');
		array_push($lines, ...($proxy === null ? [] : ["proxy=$proxy"]));
		$pairs = [];
		foreach ($this->headers() as $name => $value) {
			$pairs[] = "$name=" . rawurlencode($value);
		}
		return $pairs === [] ? $lines : [...$lines, 'headers=' . implode(',', $pairs)];
	}

	/** @return list<string> "name: REDACTED" */
	public function shownHeaders(): array
	{
		return array_map(static fn (int|string $name): string => "$name: REDACTED", array_keys($this->headers()));
	}

	/** What the exporter says, in the words of the command line. */
	public static function words(string $text): string
	{
		return strtr($text, self::NAMES);
	}

	/** @return array<string, string> */
	private function headers(): array
	{
		foreach ($this->options->all('header') as $header) {
			foreach (str_starts_with($header, '@') ? $this->linesOf(substr($header, 1)) : [] as $line) {
				$this->addHeader($line, $header);
			}
		}
		return $this->headers;
	}

	/** @return list<string> */
	private function linesOf(string $file): array
	{
		$lines = is_file($file) ? @file($file, FILE_IGNORE_NEW_LINES | FILE_SKIP_EMPTY_LINES) : false;
		return $lines === false ? throw new Problem("--header: $file cannot be read") : $lines;
	}

	/** What is wrong with one is said without it: it may be a secret. */
	private function addHeader(string $text, string $where): void
	{
		if (preg_match('/^\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)\s*[=:]\s*([^\x00-\x1f\x7f]*?)\s*$/D', $text, $m) !== 1) {
			throw new UsageError(Text::safe($where) . ': a header is NAME=VALUE, on one line');
		}
		$this->headers[$m[1]] = $m[2];
	}
}
