<?php

declare(strict_types=1);

namespace Opa\Viewer;

interface Command
{
	public static function spec(): Spec;

	/**
	 * Answers the exit code: 0, or 1 when nothing was found.
	 * @throws Problem|UsageError|ClosedPipe
	 */
	public function run(Context $context, Options $options): int;
}
