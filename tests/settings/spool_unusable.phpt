--TEST--
Where the spool cannot be made, the program runs on, spans are dropped and counted, and opa_status() says why
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/spool_unusable.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

file_put_contents(opa_test_spool() . '/file', '');
$code = '<?php $id = opa_start_span("s"); opa_add_tag($id, "a", 1); opa_end_span($id); echo json_encode([opa_flush(100), opa_status()["spool"]["path"], opa_status()["problem"] !== "", array_sum(array_filter(opa_status()["counters"], fn ($n) => str_contains($n, "drop"), ARRAY_FILTER_USE_KEY)) > 0]);';
foreach (['/nonexistent/deep/spool', opa_test_spool() . '/file', '/proc/opa'] as $spool) {
	$run = opa_test_run($code, ['spool' => $spool]);
	show('run', $run['exit'], $run['signal'], json_decode($run['out']));
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
run 0 0 [false,null,true,true]
run 0 0 [false,null,true,true]
run 0 0 [false,null,true,true]
