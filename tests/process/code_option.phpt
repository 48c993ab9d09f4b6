--TEST--
Code from -r and from standard input is traced when it makes spans
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/code_option.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

foreach (['-r ' . escapeshellarg('opa_end_span(opa_start_span("s"));'), '< ' . escapeshellarg(opa_test_spool() . '/code')] as $i => $option) {
	$spool = opa_test_spool() . "/code$i";
	file_put_contents(opa_test_spool() . '/code', '<?php opa_end_span(opa_start_span("s"));');
	exec(opa_test_php(['opa.spool_dir' => $spool]) . " $option", $out, $status);
	show('spans', $status, count(opa_test_spans($spool)));
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
spans 0 2
spans 0 2
