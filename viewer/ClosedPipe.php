<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** Nobody reads the output any more, as after `| head`: the command ends, quietly. */
final class ClosedPipe extends \RuntimeException
{
}
