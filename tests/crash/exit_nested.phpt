--TEST--
exit within nested spans closes and marks them
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/exit_nested.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run(<<<'PHP'
<?php
opa_trace('outer', function () {
	$open = opa_start_span('open');
	opa_trace('inner', function () {
		register_shutdown_function(fn () => opa_end_span(opa_start_span('shutdown')));
		exit(3);
	});
});
PHP);
show('exit', $run['exit'], $run['signal'], $run['out']);
foreach ($run['spans'] as $span) {
	show($span['name'], $span['status'], array_intersect_key($span['tags'], ['opa.unfinished' => 1, 'error.type' => 1]));
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
exit 3 0 ""
script.php 2 {"error.type":"3"}
outer 0 []
open 0 {"opa.unfinished":true}
inner 0 []
shutdown 0 []
