<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** What a command is called with, and what its help says. */
final class Spec
{
	/**
	 * @param string $arguments as the help shows them; '' for none
	 * @param list<Option> $options
	 * @param array<string, string> $examples command line => what it does
	 */
	public function __construct(
		public readonly string $name,
		public readonly string $arguments,
		public readonly string $summary,
		public readonly array $options,
		public readonly array $examples,
		public readonly int $maxArguments = 0,
	) {
	}
}
