--TEST--
A forked child that never calls opa leaves its span all the same; one that crashes takes nothing along
--EXTENSIONS--
opa
pcntl
posix
--INI--
opa.spool_dir={PWD}/fork_quiet.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run(<<<'PHP'
<?php
opa_start_span('open');
for ($i = 0; $i < 3; $i++) {
	$pid = pcntl_fork();
	if ($pid === 0) {
		$i === 2 && posix_kill(getmypid(), SIGKILL);
		exit($i);
	}
	pcntl_waitpid($pid, $status);
}
PHP);
show('exit', $run['exit'], $run['signal'], $run['out']);
foreach ($run['spans'] as $span) {
	show($span['name'], $span['status'], $span['tags']['process.exit.code'] ?? null);
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
exit 0 0 ""
script.php 0 0
open 0 null
fork 0 0
fork 2 1
