<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** The command line cannot be understood (exit code 2). */
final class UsageError extends \RuntimeException
{
}
