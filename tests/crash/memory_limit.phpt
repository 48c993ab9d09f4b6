--TEST--
When memory_limit is reached while spans are open, the trace says so and is kept
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/memory_limit.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run(<<<'PHP'
<?php
$span = opa_start_span('hungry');
$all = [];
while (true) {
	$all[] = str_repeat('x', 100000);
}
PHP, ['ini' => ['memory_limit' => '16M', 'display_errors' => '0', 'log_errors' => '0']]);
show('exit', $run['exit'], $run['signal'], $run['out']);
$root = opa_test_root($run);
show('root', $root['status'], $root['tags']['error.type'], basename($root['tags']['code.file.path']),
	$root['tags']['code.line.number']);
echo $root['message'], "\n";
show('hungry', opa_test_span('hungry', $run['spans'])['tags']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECTF--
exit 255 0 ""
root 2 "E_ERROR" "script.php" 5
Allowed memory size of 16777216 bytes exhausted%s
hungry {"opa.unfinished":true}
