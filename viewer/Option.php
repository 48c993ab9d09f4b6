<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** One option of a command. */
final class Option
{
	/**
	 * @param string $value what its value is called in the help; '' for a switch
	 * @param bool $secret whether what stands behind the = of its value is never shown
	 */
	public function __construct(
		public readonly string $name,
		public readonly string $value,
		public readonly string $help,
		public readonly bool $repeatable = false,
		public readonly string $short = '',
		public readonly bool $secret = false,
	) {
	}
}
