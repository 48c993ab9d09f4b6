<?php

require __DIR__ . '/common.php';

$open = span('opened before');
ob_start(static function (string $text) use ($open): string {
	opa_add_tag($open, 'flushed', strlen($text));
	opa_end_span(span('in an output callback'));
	return $text;
});
echo 'output';
