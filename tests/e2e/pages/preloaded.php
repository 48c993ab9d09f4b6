<?php

require __DIR__ . '/common.php';

if (!class_exists('Preloaded', false)) {
	if (ini_get('opcache.preload') !== '') {
		http_response_code(599);
	}
	require __DIR__ . '/preload.php';
}
echo (new Preloaded())->run('preloaded');
