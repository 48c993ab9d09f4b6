<?php

require __DIR__ . '/common.php';

$kept = new Fiber(static function (): void {
	$id = span('in a fiber that is never resumed');
	Fiber::suspend($id);
	opa_end_span($id);
});
$destroyed = new Fiber(static function (): void {
	$id = span('in a fiber that is destroyed');
	try {
		Fiber::suspend($id);
	} finally {
		opa_add_tag($id, 'destroyed', true);
	}
});
$main = span('main');
opa_add_tag($kept->start(), 'from', 'outside');
$destroyed->start();
unset($destroyed);
opa_end_span($main);
echo 'fiber';
