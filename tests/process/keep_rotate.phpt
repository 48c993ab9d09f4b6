--TEST--
Each trace of a script that is rotated is kept or dropped by itself; its probability is that of the first
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/keep_rotate.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
$code = '<?php
	$wait = function () { for ($end = hrtime(true) + 60e6; hrtime(true) < $end;) {} };
	opa_end_span(opa_start_span("a"));
	$wait();
	$s = opa_start_span("b");
	ERROR
	opa_end_span($s);
	$wait();
	opa_end_span(opa_start_span("c"));
	echo json_encode(opa_propagation_headers()["tracestate"] ?? null), substr(opa_traceparent(), -3);
';
foreach (['none' => '', 'error' => 'opa_set_status($s, OPA_STATUS_ERROR);'] as $what => $error) {
	$run = opa_test_run(str_replace('ERROR', $error, $code), ['ini' => ['opa.keep_errors' => '1', 'opa.sample_rate' => '0', 'opa.trace_rotate' => '50ms']]);
	show($what, $run['out'], array_column($run['spans'], 'name'), array_unique(array_filter(array_map(fn ($s) => $s['tags']['opa.kept'] ?? null, $run['spans']))));
}
$run = opa_test_run(str_replace('ERROR', '', $code), ['ini' => ['opa.keep_errors' => '1', 'opa.sample_rate' => '0', 'opa.trace_rotate' => '50ms'],
	'env' => ['TRACEPARENT' => '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'TRACESTATE' => 'ot=th:1,a=1']]);
$roots = array_values(array_filter($run['spans'], fn ($s) => isset($s['tags']['opa.kept'])));
show('followed', $run['out'], array_values(array_unique(array_column($roots, 'state'))), array_unique(array_map(fn ($s) => $s['tags']['opa.kept'], $roots)));
show('ids agree', count($roots) >= 3, array_filter($roots, fn ($s) => substr($s['trace'], 18) < '1'));
do {
	$run = opa_test_run(str_replace('ERROR', '', $code), ['ini' => ['opa.sample_rate' => '0.25', 'opa.trace_rotate' => '50ms']]);
} while ($run['spans'] === []);
$traces = array_unique(array_column($run['spans'], 'trace'));
show('sampled', $run['out'], count($traces) >= 3, array_unique(array_column($run['spans'], 'state')), array_filter($traces, fn ($id) => substr($id, 18) < 'c'));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
none "null-02" [] []
error "null-02" ["script.php","b"] ["error"]
followed "\"ot=th:1\"-03" ["ot=th:1,a=1","ot=th:1"] ["head"]
ids agree true []
sampled "\"ot=th:c\"-03" true ["ot=th:c"] []
