--TEST--
A value that is refused at the start is as if it had not been given: warned of once, then the variable counts, then the default
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/refused.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$code = '<?php foreach (["sample_rate", "max_events", "service_name"] as $n) { $s = opa_status()["settings"]["opa.$n"]; echo $s["value"], " (", $s["source"], ") "; }';
$log = ['display_startup_errors' => '1', 'display_errors' => '1', 'html_errors' => '0', 'log_errors' => '0'];
$env = ['OTEL_TRACES_SAMPLER' => 'always_on', 'OTEL_SPAN_EVENT_COUNT_LIMIT' => '7', 'OTEL_SERVICE_NAME' => 'variable'];
foreach ([
	'nothing' => [],
	'refused' => ['opa.sample_rate' => '7', 'opa.max_events' => '-1', 'opa.service_name' => 'ini'],
	'given' => ['opa.sample_rate' => '0.5', 'opa.max_events' => '9', 'opa.service_name' => '""'],
] as $what => $ini) {
	foreach ([[], $env] as $with) {
		$run = opa_test_run($code, ['ini' => $ini + $log, 'env' => $with]);
		$warnings = preg_match_all('/Warning: .*must be/', $run['out']);
		show($what, $warnings, trim(substr($run['out'], strrpos("\n" . $run['out'], "\n"))));
	}
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
nothing 0 "1 (default) 128 (default)  (default)"
nothing 0 "1 (OTEL_TRACES_SAMPLER) 7 (OTEL_SPAN_EVENT_COUNT_LIMIT) variable (OTEL_SERVICE_NAME)"
refused 2 "1 (default) 128 (default) ini (ini)"
refused 2 "1 (OTEL_TRACES_SAMPLER) 7 (OTEL_SPAN_EVENT_COUNT_LIMIT) ini (ini)"
given 0 "0.5 (ini) 9 (ini)  (ini)"
given 0 "0.5 (ini) 9 (ini)  (ini)"
