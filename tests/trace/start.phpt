--TEST--
A started trace is the current one until it ends, and the one from before goes on beside it
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/start.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$request = [opa_root_span(), opa_trace_id()];
$outer = opa_start_span('outer');
$job = opa_start_trace('job', ['queue' => 'mail'], null, OPA_KIND_SERVER);
show('inside', opa_root_span() === $job, opa_current_span() === $job, opa_trace_id() !== $request[1],
	opa_traceparent() === '00-' . opa_trace_id() . "-$job-03");
$inner = opa_start_span('inner');
$below_outer = opa_start_span('below outer', [], $outer);
show('outer goes on', opa_add_tag($outer, 'a', 1), opa_add_tag($request[0], 'b', 2), opa_end_span($below_outer),
	opa_traceparent($outer) === "00-$request[1]-$outer-03", opa_traceparent($inner) === '00-' . opa_trace_id() . "-$inner-03");
show('own', opa_add_tag($job, 'more', 3), opa_set_name($job, 'renamed'), opa_set_parent($inner, $outer), opa_set_parent($job, $inner));
opa_end_span(opa_start_span('flushed'));
opa_flush(0);
show('flush', count(opa_test_records(opa_test_spool())), opa_test_records(opa_test_spool())[1]['flags'] & 1);
show('not by end_span', opa_end_span($job), opa_current_span() === $inner, opa_end_span($inner), opa_current_span() === $job);
show('not by end_trace', opa_end_trace($outer), opa_end_trace($request[0]), opa_end_trace('0000000000000000'), opa_end_trace("x\0"), opa_end_trace($inner));
show('end', opa_end_trace($job));
show('outside', opa_root_span() === $request[0], opa_trace_id() === $request[1], opa_current_span() === $outer);
show('unknown now', opa_end_trace($job), opa_end_span($job), opa_add_tag($job, 'c', 1), opa_add_tag($inner, 'c', 1),
	opa_traceparent($job) === opa_traceparent($outer));

// It is in the journal while the program goes on.
$records = opa_test_records(opa_test_spool());
show('published', count($records), $records[2]['flags'] & 1, $records[2]['spans']);
opa_end_span($outer);
$spans = opa_test_spans();
$root = opa_test_span('renamed', $spans);
show('root', $root['kind'], $root['tags'], $root['parent'], count($root['links']), $root['links'][0]['trace'] === $request[1],
	$root['links'][0]['span'] === $outer, $root['links'][0]['flags']);
show('inner', opa_test_span('inner', $spans)['parent'] === $job, opa_test_span('inner', $spans)['trace'] === $root['trace']);
show('outer', opa_test_span('outer', $spans)['tags'], opa_test_span('below outer', $spans)['trace'] === $request[1]);
show('default kind', opa_end_trace(opa_start_trace('plain')), opa_test_span('plain')['kind'], opa_end_trace(opa_start_trace('odd', [], null, 9)), opa_test_span('odd')['kind']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
inside true true true true
outer goes on true true true true true
own true true false false
flush 2 0
not by end_span false true true true
not by end_trace false false false false false
end true
outside true true true
unknown now false false false false true
published 3 1 2
root 2 {"queue":"mail","more":3} "" 1 true true 3
inner true true
outer {"a":1} true
default kind true 5 true 5
