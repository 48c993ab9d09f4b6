--TEST--
A spool that is full drops new traces and counts them
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/spool_full.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run('<?php for ($i = 0; $i < 200; $i++) { opa_end_span(opa_start_span("s", ["a" => str_repeat("x", 10000)])); } opa_flush(0); for ($end = hrtime(true) + 1.2e9; hrtime(true) < $end;) {} for ($i = 0; $i < 50; $i++) { opa_end_span(opa_start_span("late", ["a" => str_repeat("x", 10000)])); opa_flush(0); } echo opa_status()["counters"]["spans_dropped_spool_full"];',
	['ini' => ['opa.spool_max_size' => '1M']]);
show('dropped', (int) $run['out'] > 0, count(array_filter($run['spans'], fn ($s) => $s['name'] === 'late')) < 50);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
dropped true true
