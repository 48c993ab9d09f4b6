--TEST--
opa_traceparent() names the given span, else the current one, in the trace that the program is in
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/traceparent.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

function names(?string $traceparent, string $span): bool
{
	return $traceparent === '00-' . opa_trace_id() . "-$span-03";
}

$root = opa_root_span();
show('root', names(opa_traceparent(), $root), opa_propagation_headers() === ['traceparent' => opa_traceparent()]);
$outer = opa_start_span('outer');
$inner = opa_start_span('inner');
show('current', names(opa_traceparent(), $inner), names(opa_traceparent(null), $inner));
show('given', names(opa_traceparent($outer), $outer), names(opa_traceparent($root), $root),
	opa_propagation_headers($outer) === ['traceparent' => opa_traceparent($outer)]);
opa_end_span($inner);
show('not open', names(opa_traceparent($inner), $outer), names(opa_traceparent('0000000000000000'), $outer),
	names(opa_traceparent("no\0id"), $outer));
$fiber = new Fiber(function (): void {
	$in_fiber = opa_start_span('in the fiber');
	show('fiber', names(opa_traceparent(), $in_fiber));
	Fiber::suspend();
});
$fiber->start();
show('outside', names(opa_traceparent(), $outer));
show('link', opa_add_link($outer, opa_traceparent()));
opa_disable();
show('off', opa_traceparent(), opa_propagation_headers($outer));
opa_enable();
show('on', names(opa_traceparent(), $outer));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
root true true
current true true
given true true true
not open true true true
fiber true
outside true
link true
off null []
on true
