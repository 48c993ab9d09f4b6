<?php

declare(strict_types=1);

namespace Opa\Tests;

/** What a process left behind. */
final class Result
{
	public function __construct(
		public readonly int $code,
		public readonly string $out,
		public readonly string $err,
	) {
	}

	/** @return list<string> */
	public function lines(): array
	{
		return $this->out === '' ? [] : explode("\n", rtrim($this->out, "\n"));
	}

	/** @return list<array<string, mixed>> one JSON object a line */
	public function objects(): array
	{
		return array_map(static fn (string $l): array
			=> json_decode($l, true, 512, JSON_THROW_ON_ERROR), $this->lines());
	}
}
