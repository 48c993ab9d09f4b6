--TEST--
A script goes on in the trace that TRACEPARENT, TRACESTATE and BAGGAGE tell; a rotated trace begins anew
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/trace_context.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$env = ['TRACEPARENT' => '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'TRACESTATE' => 'a=1', 'BAGGAGE' => 'b=2'];
$code = '<?php echo json_encode(opa_propagation_headers() + ["id" => opa_root_span()]);';
$run = opa_test_run($code, ['env' => $env]);
[$root] = $run['spans'];
show('root', $root['trace'], $root['parent'], $root['state']);
echo str_replace($root['id'], 'S', $run['out']), "\n";

$run = opa_test_run('<?php
	opa_end_span(opa_start_span("early"));
	usleep(60000);
	opa_end_span(opa_start_span("late"));
	echo json_encode(array_keys(opa_propagation_headers()));
', ['env' => $env, 'ini' => ['opa.trace_rotate' => '50ms']]);
$late = opa_test_span('late', $run['spans']);
[$next] = array_values(array_filter($run['spans'], static fn (array $span): bool => $span['id'] === $late['parent']));
show('rotated', $late['trace'] === $root['trace'], $next['parent'], $next['links'][0]['trace'], $next['state'] ?? null, $run['out']);

$run = opa_test_run('<?php echo json_encode([opa_start_span("s"), opa_traceparent() !== null, opa_trace_id()]);',
	['env' => ['TRACEPARENT' => '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00']]);
show('not wanted', count($run['spans']), $run['out']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
root "0af7651916cd43dd8448eb211c80319c" "b7ad6b7169203331" "a=1"
{"traceparent":"00-0af7651916cd43dd8448eb211c80319c-S-01","tracestate":"a=1","baggage":"b=2","id":"S"}
rotated false "" "0af7651916cd43dd8448eb211c80319c" null "[\"traceparent\",\"baggage\"]"
not wanted 0 "[\"0000000000000000\",true,null]"
