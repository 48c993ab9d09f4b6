--TEST--
A shutdown function that is registered by a shutdown function may use every function
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/shutdown_function_nested.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run(<<<'PHP'
<?php
$span = opa_start_span('open');
register_shutdown_function(function () use ($span) {
	echo json_encode(opa_add_tag($span, 'first', 1)), "\n";
	register_shutdown_function(function () use ($span) {
		echo json_encode([opa_add_tag($span, 'second', 2), opa_current_span() === $span, opa_end_span($span)]), "\n";
		register_shutdown_function(fn () => print(json_encode(opa_add_tag($span, 'third', 3)) . "\n"));
	});
});
PHP);
echo $run['out'];
show('exit', $run['exit'], $run['signal']);
show('tags', opa_test_span('open', $run['spans'])['tags']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
true
[true,true,true]
false
exit 0 0
tags {"first":1,"second":2}
