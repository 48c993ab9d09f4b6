<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** Something stands in the way (exit code 1). The hint says what to do next, in lines of its own. */
final class Problem extends \RuntimeException
{
	public function __construct(string $message, public readonly string $hint = '')
	{
		parent::__construct($message);
	}
}
