--TEST--
A trace that the program starts is kept at its end by its own error, whatever becomes of the others; its flag stays the head's
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/kept_at_end.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run(<<<'PHP'
<?php
for ($i = 0; $i < 4; $i++) {
	$root = opa_start_trace("job $i");
	$span = opa_start_span('work');
	if ($i % 2 === 1) {
		opa_set_status($span, OPA_STATUS_ERROR, 'bad');
	}
	opa_end_span($span);
	echo substr(opa_traceparent(), -2), json_encode(opa_end_trace($root)), ' ';
}
echo opa_status()['counters']['traces_sampled_out'], "\n";
PHP, ['ini' => ['opa.sample_rate' => '0', 'opa.keep_errors' => '1']]);
echo $run['out'];
foreach ($run['spans'] as $span) {
	show($span['name'], $span['flags'] & 3, $span['tags']['opa.kept'] ?? null);
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
02true 02true 02true 02true 2
job 1 2 "error"
work 2 null
job 3 2 "error"
work 2 null
