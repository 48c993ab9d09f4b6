--TEST--
A trace that is not wanted leaves no trace: nothing in it is recorded, what is sent along says so, and what was there before goes on
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/unsampled.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

const NOT = ['traceparent' => '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00', 'tracestate' => 'a=1', 'baggage' => 'b=2'];
const ZERO = '0000000000000000';

$root = opa_root_span();
$trace = opa_trace_id();
$outer = opa_start_span('outer');
$job = opa_start_trace('job', ['a' => 1], NOT);
show('zero', $job === ZERO, opa_start_span('s') === ZERO, opa_current_span() === ZERO, opa_root_span() === ZERO, opa_trace_id());
show('nothing is recorded', opa_track_error(new Exception('e')), opa_add_tag($job, 'a', 1), opa_trace('t', fn (string $id) => $id) === ZERO);
opa_dump(1);
$sent = opa_propagation_headers();
show('sent', preg_replace('/-[a-f][0-9a-f]{15}-/', '-S-', json_encode($sent)), opa_traceparent() === $sent['traceparent'], opa_traceparent() === opa_traceparent());
show('outer', opa_add_tag($outer, 'b', 2), opa_traceparent($outer) === "00-$trace-$outer-03", opa_start_span('of outer', [], $outer) !== ZERO);
show('beside', opa_start_span('of that', [], null) !== ZERO);
$wanted = opa_start_trace('wanted within');
show('wanted', opa_root_span() === $wanted, opa_end_trace($wanted));
show('end', opa_end_trace($job));
show('back', opa_root_span() === $root, opa_trace_id() === $trace, opa_end_trace(ZERO));

$first = opa_start_trace('first', [], NOT);
$second = opa_start_trace('second', [], NOT);
show('ends', opa_end_trace($second), opa_root_span(), opa_end_trace($first), opa_root_span() === $root);
opa_start_trace('left', [], NOT);
opa_flush(0);
show('counted', opa_status()['counters']['traces_sampled_out']);
show('spans', array_column(opa_test_spans(), 'name'));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
zero true true true true null
nothing is recorded false false true
sent "{\"traceparent\":\"00-0af7651916cd43dd8448eb211c80319c-S-00\",\"tracestate\":\"a=1\",\"baggage\":\"b=2\"}" true true
outer true true true
beside true
wanted true true
end false
back true true false
ends false "0000000000000000" false true
counted 4
spans ["wanted within"]
