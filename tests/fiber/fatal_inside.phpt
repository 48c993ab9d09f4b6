--TEST--
A fatal error and memory_limit inside a fiber keep the trace
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/fatal_inside.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

foreach (['$all = []; while (true) { $all[] = str_repeat("x", 100000); }', 'trigger_error("fatal", E_USER_ERROR);'] as $code) {
	$run = opa_test_run("<?php opa_start_span('main'); (new Fiber(function () { opa_start_span('in fiber'); $code }))->start();",
		['ini' => ['memory_limit' => '16M', 'display_errors' => '0', 'log_errors' => '0']]);
	show('exit', $run['exit'], $run['signal'], array_column($run['spans'], 'name'), opa_test_root($run)['tags']['error.type']);
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
exit 255 0 ["script.php","main","in fiber"] "E_ERROR"
exit 255 0 ["script.php","main","in fiber"] "E_USER_ERROR"
