--TEST--
When max_execution_time is reached while spans are open, the trace says so and is kept
--EXTENSIONS--
opa
--SKIPIF--
<?php
if (getenv('SKIP_SLOW_TESTS')) die('skip slow');
?>
--INI--
opa.spool_dir={PWD}/max_execution_time.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run(<<<'PHP'
<?php
set_time_limit(1);
while (true) {
	$span = opa_start_span("in the loop", ["a" => 1]);
	opa_add_tag($span, "b", [1, strlen(hash("sha256", str_repeat("x", 5000000)))]);
}
PHP, ['ini' => ['display_errors' => '0', 'log_errors' => '0']]);
show('exit', $run['exit'], $run['signal'], $run['out']);
show('root', opa_test_root($run)['status'], opa_test_root($run)['tags']['error.type']);
echo opa_test_root($run)['message'], "\n";
show('spans', count($run['spans']) > 1);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECTF--
exit 255 0 ""
root 2 "E_ERROR"
Maximum execution time of 1 second%s
spans true
