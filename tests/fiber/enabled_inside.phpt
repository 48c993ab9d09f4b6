--TEST--
A fiber that was started while tracing was off may switch it on
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/enabled_inside.spool
opa.exporter_path=/nonexistent/opa-exporter
opa.enabled=0
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$fiber = new Fiber(function (): void {
	opa_enable();
	$id = opa_start_span('s');
	Fiber::suspend();
	show('end', opa_end_span($id));
});
$fiber->start();
$main = opa_start_span('main');
$fiber->resume();
show('end', opa_end_span($main), opa_current_span() === opa_root_span());
show('spans', count(opa_test_spans()));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
end true
end true true
spans 2
