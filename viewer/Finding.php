<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** What a check of `opa doctor` has found. */
final class Finding
{
	public const OK = 'ok';
	public const WARN = 'warn';
	public const FAIL = 'FAIL';

	/** @param string $remedy what to do, as one line; '' where nothing is to be done */
	private function __construct(
		public readonly string $level,
		public readonly string $topic,
		public readonly string $text,
		public readonly string $remedy,
	) {
	}

	public static function ok(string $topic, string $text): self
	{
		return new self(self::OK, $topic, $text, '');
	}

	public static function warn(string $topic, string $text, string $remedy = ''): self
	{
		return new self(self::WARN, $topic, $text, $remedy);
	}

	public static function fail(string $topic, string $text, string $remedy): self
	{
		return new self(self::FAIL, $topic, $text, $remedy);
	}
}
