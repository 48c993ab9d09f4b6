--TEST--
exit in an output callback, and in a shutdown function, keeps the trace
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/output_callback_exits.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

foreach (['ob_start(function ($b) { opa_start_span("callback"); exit(0); }); echo 1;',
	'register_shutdown_function(function () { opa_start_span("callback"); exit(0); });'] as $code) {
	$run = opa_test_run("<?php opa_start_span('open'); $code", ['ini' => ['display_errors' => '0', 'log_errors' => '0']]);
	show('run', $run['signal'], array_column($run['spans'], 'name'));
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
run 0 ["script.php","open","callback"]
run 0 ["script.php","open","callback"]
