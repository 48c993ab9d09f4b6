<?php

require __DIR__ . '/common.php';

$fiber = new Fiber(static function (): void {
	open_spans(2);
	echo 'fiber_exit';
	exit;
});
$fiber->start();
