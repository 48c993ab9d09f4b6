--TEST--
A child that is forked while tracing is off, and leaves it so, records nothing
--EXTENSIONS--
opa
pcntl
--INI--
opa.spool_dir={PWD}/fork_disabled_quiet.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run(<<<'PHP'
<?php
opa_disable();
$pid = pcntl_fork();
if ($pid === 0) {
	register_shutdown_function(function () { echo json_encode([opa_is_enabled(), opa_start_span('late')]), "\n"; });
	exit(0);
}
pcntl_waitpid($pid, $status);
PHP);
echo $run['out'];
show('spans', array_column($run['spans'], 'name'));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
[false,"0000000000000000"]
spans ["script.php"]
