--TEST--
Each fiber has its own current span and begins with the one that is current at start()
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/current_span.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$root = opa_root_span();
$outer = opa_start_span('outer');
$fiber = new Fiber(function () use ($outer): void {
	show('inherited', opa_current_span() === $outer);
	$inner = opa_start_span('inner');
	Fiber::suspend();
	show('still inner', opa_current_span() === $inner);
	opa_end_span($inner);
	show('inherited again', opa_current_span() === $outer);
	Fiber::suspend();
	show('the root', opa_current_span() === opa_root_span());
});
$later = opa_start_span('later');
opa_end_span($later);
$fiber->start();
show('outer', opa_current_span() === $outer);
$other = opa_start_span('other');
$fiber->resume();
show('other', opa_current_span() === $other);
opa_end_span($other);
opa_end_span($outer);
$fiber->resume();
show('inner below outer', opa_test_span('inner')['parent'] === $outer);
show('current', opa_current_span() === $root);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
inherited true
outer true
still inner true
inherited again true
other true
the root true
inner below outer true
current true
