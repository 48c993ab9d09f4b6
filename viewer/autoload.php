<?php

declare(strict_types=1);

// Every class of the viewer is one file of this directory.
spl_autoload_register(static function (string $class): void {
	$file = __DIR__ . '/' . substr($class, strlen('Opa\\Viewer\\')) . '.php';
	if (str_starts_with($class, 'Opa\\Viewer\\') && is_file($file)) {
		require $file;
	}
});
