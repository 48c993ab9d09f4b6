--TEST--
A fork's span hangs where the fork was, whatever is current when it is first asked for
--EXTENSIONS--
opa
pcntl
--INI--
opa.spool_dir={PWD}/fork_parent.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run(<<<'PHP'
<?php
$other = opa_start_span('other');
$fiber = new Fiber(function () {
	$span = opa_start_span('in the fiber');
	$pid = pcntl_fork();
	if ($pid > 0) {
		pcntl_waitpid($pid, $status);
		opa_end_span($span);
	}
	return $pid;
});
$fiber->start();
if ($fiber->getReturn() === 0) {
	opa_end_span(opa_start_span('child'));
	exit(0);
}
opa_end_span($other);
PHP);
$names = array_column($run['spans'], 'name', 'id');
show('fork below', $names[opa_test_span('fork', $run['spans'])['parent']]);
show('child below', $names[opa_test_span('child', $run['spans'])['parent']]);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
fork below "in the fiber"
child below "fork"
