<?php

require __DIR__ . '/common.php';

$open = span('opened before');
register_shutdown_function(static function () use ($open): void {
	$id = span('in a shutdown function');
	register_shutdown_function(static function () use ($open): void {
		$id = span('in a later one');
		opa_add_tag($open, 'still', 'open');
		opa_end_span($id);
		opa_end_span($open);
		opa_end_span($open);
	});
	opa_end_span($id);
});
echo 'shutdown';
