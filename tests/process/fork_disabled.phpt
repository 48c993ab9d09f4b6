--TEST--
A child that is forked while tracing is off may switch it on
--EXTENSIONS--
opa
pcntl
--INI--
opa.spool_dir={PWD}/fork_disabled.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run(<<<'PHP'
<?php
opa_disable();
$pid = pcntl_fork();
if ($pid === 0) {
	echo json_encode([opa_is_enabled(), opa_enable(), opa_end_span(opa_start_span('child'))]);
	exit(0);
}
pcntl_waitpid($pid, $status);
PHP);
show('out', $run['out'], $run['exit']);
$names = array_column($run['spans'], 'name', 'id');
show('child', $names[opa_test_span('child', $run['spans'])['parent']]);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
out "[false,true,true]" 0
child "fork"
