<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** One option of a command. */
final class Option
{
	/** @param string $value what its value is called in the help; '' for a switch */
	public function __construct(
		public readonly string $name,
		public readonly string $value,
		public readonly string $help,
		public readonly bool $repeatable = false,
		public readonly string $short = '',
	) {
	}
}
