<?php

declare(strict_types=1);

namespace Opa\Tests;

/** What a server answered, or did not. */
final class Answer
{
	/** @param array<string, string> $headers by lower-case name */
	public function __construct(
		public readonly int $error,
		public readonly int $status,
		public readonly array $headers,
		public readonly string $body,
	) {
	}

	/** Whether it is the page's own and came whole; a proxy's 502 is not. */
	public function isComplete(): bool
	{
		return $this->error === 0 && isset($this->headers['x-marker']) && $this->status !== 502
			&& $this->status !== 504;
	}

	public function pid(): int
	{
		return (int) ($this->headers['x-pid'] ?? 0);
	}
}
