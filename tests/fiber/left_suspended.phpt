--TEST--
Fibers that are still suspended when the program ends unwind, and may use every function
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/left_suspended.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run(<<<'PHP'
<?php
$fibers = [];
for ($i = 0; $i < 10; $i++) {
	$fibers[$i] = new Fiber(function () use ($i) {
		$span = opa_start_span("s$i");
		try { Fiber::suspend(); } finally { opa_add_tag($span, 'finally', 1); if ($i % 2) { opa_end_span($span); } }
	});
	$fibers[$i]->start();
}
$cycle = new Fiber(function () { $span = opa_start_span('cycle'); $self = Fiber::getCurrent(); Fiber::suspend(); });
$cycle->start();
PHP);
show('exit', $run['exit'], $run['signal'], $run['out']);
foreach ($run['spans'] as $span) {
	$span['parent'] === '' || show($span['name'], $span['tags']);
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
exit 0 0 ""
s0 {"finally":1,"opa.unfinished":true}
s1 {"finally":1}
s2 {"finally":1,"opa.unfinished":true}
s3 {"finally":1}
s4 {"finally":1,"opa.unfinished":true}
s5 {"finally":1}
s6 {"finally":1,"opa.unfinished":true}
s7 {"finally":1}
s8 {"finally":1,"opa.unfinished":true}
s9 {"finally":1}
cycle {"opa.unfinished":true}
