<?php

declare(strict_types=1);

namespace Opa\Viewer;

if (PHP_VERSION_ID < 80200) {
	fwrite(STDERR, 'opa: needs PHP 8.2 or later, this is ' . PHP_VERSION
		. ". Name another one: OPA_PHP=/path/to/php\n");
	exit(1);
}

require __DIR__ . '/autoload.php';

exit((new Application(Environment::fromProcess()))->run(array_slice($_SERVER['argv'], 1)));
