<?php

declare(strict_types=1);

// phpunit --bootstrap tests/e2e/bootstrap.php tests/e2e

require dirname(__DIR__, 2) . '/viewer/autoload.php';

spl_autoload_register(static function (string $class): void {
	$name = substr($class, strlen('Opa\\Tests\\'));
	foreach (str_starts_with($class, 'Opa\\Tests\\') ? ['', '/fixtures', '/support'] : [] as $folder) {
		if (is_file(__DIR__ . "$folder/$name.php")) {
			require __DIR__ . "$folder/$name.php";
			return;
		}
	}
});
