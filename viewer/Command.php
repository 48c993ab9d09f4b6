<?php

declare(strict_types=1);

namespace Opa\Viewer;

interface Command
{
	public static function spec(): Spec;

	/**
	 * Reads the options, all of them: nothing is looked at or said before they are known to be good.
	 * @throws UsageError
	 */
	public function __construct(Options $options, Clock $clock);

	/**
	 * Answers the exit code: 0, or 1 when nothing was found.
	 * @throws Problem|ClosedPipe
	 */
	public function run(Context $context): int;
}
