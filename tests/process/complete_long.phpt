--TEST--
The last piece of a trace says that it is the last, however old or large the trace is
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/complete_long.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

foreach (['20ms' => 'opa_start_span("open"); for ($end = hrtime(true) + 30e6; hrtime(true) < $end;) {}',
	'0' => 'for ($i = 0; $i < 3; $i++) { opa_end_span(opa_start_span("s")); } opa_add_tag(opa_root_span(), "a", array_fill(0, 900, str_repeat("x", 200))); for ($i = 0; $i < 100; $i++) { opa_add_event(opa_root_span(), "e", ["x" => str_repeat("y", 16000)]); }'] as $rotate => $code) {
	$run = opa_test_run("<?php $code", ['ini' => ['opa.trace_rotate' => $rotate, 'opa.max_value_length' => '256K']]);
	$records = opa_test_records($run['spool']);
	show('complete', array_sum(array_map(fn ($r) => $r['flags'] & 1, $records)), array_sum(array_column($records, 'spans')) === count($run['spans']));
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
complete 1 true
complete 1 true
