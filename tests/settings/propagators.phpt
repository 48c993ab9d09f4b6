--TEST--
opa.propagators: names that are not known are ignored, and said once
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/propagators.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/server.inc';

$code = '<?php $s = opa_status(); echo $s["settings"]["opa.propagators"]["value"], " (", $s["settings"]["opa.propagators"]["source"], ") ", implode(",", array_keys(opa_propagation_headers())); foreach ($s["warnings"] as $w) { echo "\n  $w"; }';
foreach ([
	[[], []],
	[['OTEL_PROPAGATORS' => 'b3'], []],
	[['OTEL_PROPAGATORS' => ''], []],
	[['OTEL_PROPAGATORS' => 'jaeger,b3,xray'], []],
	[['OTEL_PROPAGATORS' => 'jaeger'], ['opa.propagators' => 'b3multi']],
	[[], ['opa.propagators' => 'ottrace,tracecontext']],
	[[], ['opa.propagators' => '']],
] as [$env, $ini]) {
	$run = opa_test_run($code, ['env' => $env, 'ini' => $ini + ['log_errors' => '1', 'error_log' => '']]);
	echo $run['out'], "\n";
}

$log = opa_test_spool() . '/log';
$server = new OpaTestServer('<?php echo 1;', ['opa.propagators' => 'zipkin', 'log_errors' => '1', 'error_log' => $log]);
$server->send('/');
$server->send('/');
echo preg_replace('/^\[[^]]*\] /m', '', file_get_contents($log));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
tracecontext,baggage (default) traceparent
b3 (OTEL_PROPAGATORS) b3
tracecontext,baggage (default) traceparent
jaeger,b3,xray (OTEL_PROPAGATORS) b3
  OTEL_PROPAGATORS: "jaeger" is ignored: there are tracecontext, baggage, b3, b3multi and none
b3multi (ini) X-B3-TraceId,X-B3-SpanId,X-B3-Sampled
ottrace,tracecontext (ini) traceparent
  opa.propagators: "ottrace" is ignored: there are tracecontext, baggage, b3, b3multi and none
 (ini) 
opa: opa.propagators: "zipkin" is ignored: there are tracecontext, baggage, b3, b3multi and none
