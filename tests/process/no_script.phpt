--TEST--
A run without a script's request leaves no trace: -v, -i, -m, -l, --ini, --rf
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/no_script.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$script = opa_test_spool() . '/lint.php';
file_put_contents($script, '<?php echo "must not run";');
foreach (['-v', '-i', '-m', '-l ' . escapeshellarg($script), '--ini', '--rf opa_start_span', '--re opa'] as $i => $option) {
	$spool = opa_test_spool() . "/none$i";
	exec(opa_test_php(['opa.spool_dir' => $spool]) . " $option 2>&1 </dev/null", $out, $status);
	show(strtok($option, ' '), $status, count(opa_test_spans($spool)), glob("$spool/live/*"), glob("$spool/sealed/*"));
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
-v 0 0 [] []
-i 0 0 [] []
-m 0 0 [] []
-l 0 0 [] []
--ini 0 0 [] []
--rf 0 0 [] []
--re 0 0 [] []
