--TEST--
Spans that begin in fibers do not keep a trace from being rotated
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/trace_rotate.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run(<<<'PHP'
<?php
function work(string $name): void {
	$fiber = new Fiber(fn () => opa_end_span(opa_start_span($name)));
	$fiber->start();
}
work('first');
$first = opa_trace_id();
for ($end = hrtime(true) + 350e6; hrtime(true) < $end;) {}
work('second');
echo json_encode(opa_trace_id() === $first), "\n";
PHP, ['ini' => ['opa.trace_rotate' => '300ms']]);
echo $run['out'];
show('apart', opa_test_span('first', $run['spans'])['trace'] !== opa_test_span('second', $run['spans'])['trace']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
false
apart true
