--TEST--
A span that another fiber has ended is not the current one any more
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/ended_elsewhere.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$fiber = new Fiber(function (): void {
	$a = opa_start_span('a');
	$b = opa_start_span('b');
	Fiber::suspend($b);
	show('a', opa_current_span() === $a);
	opa_end_span($a);
	show('c', opa_end_span(opa_start_span('c')), opa_test_span('c')['parent'] === opa_root_span());
});
opa_end_span($fiber->start());
$fiber->resume();
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
a true
c true true
