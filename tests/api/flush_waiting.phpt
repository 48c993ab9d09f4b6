--TEST--
opa_flush() leaves a trace that waits for its end alone, until it is known that it is kept
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/flush_waiting.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
$code = '<?php
	opa_end_span(opa_start_span("a"));
	$kept = fn () => opa_status()["counters"]["spans_kept"];
	opa_flush(0);
	$before = $kept();
	BETWEEN
	opa_flush(0);
	echo json_encode([$before, $kept()]);
	opa_end_span(opa_start_span("c"));
	opa_flush(0);
	echo json_encode($kept());
';
foreach (['nothing' => '', 'error' => '$s = opa_start_span("b"); opa_set_status($s, OPA_STATUS_ERROR); opa_end_span($s);',
	'slow' => 'usleep(2010000);'] as $what => $between) {
	$run = opa_test_run(str_replace('BETWEEN', $between, $code), ['ini' => ['opa.keep_errors' => '1', 'opa.keep_slow' => $what === 'slow' ? '2s' : '1h', 'opa.sample_rate' => '0']]);
	show($what, $run['out'], count($run['spans']), opa_test_root($run)['tags']['opa.kept'] ?? null);
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
nothing "[0,0]0" 0 null
error "[0,2]3" 4 "error"
slow "[0,1]2" 3 "slow"
