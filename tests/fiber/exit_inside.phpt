--TEST--
exit inside a fiber, below others, ends the program and keeps the trace
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/exit_inside.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run(<<<'PHP'
<?php
opa_start_span('main');
register_shutdown_function(fn () => opa_end_span(opa_start_span('shutdown')));
$waiting = new Fiber(function () { $s = opa_start_span('waiting'); try { Fiber::suspend(); } finally { opa_end_span($s); } });
$waiting->start();
(new Fiber(function () {
	opa_start_span('outer');
	(new Fiber(function () {
		opa_trace('inner', function () { exit(5); });
	}))->start();
}))->start();
PHP);
show('exit', $run['exit'], $run['signal'], $run['out']);
foreach ($run['spans'] as $span) {
	show($span['name'], isset($span['tags']['opa.unfinished']));
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
exit 5 0 ""
script.php false
main true
waiting false
outer true
inner false
shutdown false
