--TEST--
A child that is forked from a trace that waits is judged by its own spans; from one that is kept it is kept
--EXTENSIONS--
opa
pcntl
posix
--INI--
opa.spool_dir={PWD}/keep_fork.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
$code = '<?php
	opa_end_span(opa_start_span("before"));
	BEFORE
	$pid = pcntl_fork();
	if ($pid === 0) {
		opa_end_span(opa_start_span("of the child"));
		CHILD
		exit(0);
	}
	pcntl_waitpid($pid, $status);
	opa_end_span(opa_start_span("after"));
	PARENT
';
foreach (['none' => [], 'child' => ['CHILD' => 'exit(1);'], 'parent' => ['PARENT' => 'exit(1);'], 'both' => ['CHILD' => 'exit(1);', 'PARENT' => 'exit(2);'],
	'error before, open' => ['BEFORE' => 'opa_set_status(opa_root_span(), OPA_STATUS_ERROR);'],
	'known before' => ['BEFORE' => 'opa_set_status(opa_root_span(), OPA_STATUS_ERROR); opa_flush(0);'],
	'slow child' => ['CHILD' => 'usleep(2010000);', 'PARENT' => 'posix_kill(getmypid(), SIGKILL);'],
	'slow before' => ['BEFORE' => 'usleep(2010000);']] as $what => $parts) {
	$run = opa_test_run(strtr($code, $parts + ['BEFORE' => '', 'CHILD' => '', 'PARENT' => '']), ['ini' => ['opa.keep_errors' => '1', 'opa.keep_slow' => str_contains($what, 'slow') ? '2s' : '0', 'opa.sample_rate' => '0']]);
	$said = [];
	foreach ($run['spans'] as $span) {
		$said[] = $span['name'] . (isset($span['tags']['opa.kept']) ? " ({$span['tags']['opa.kept']})" : '');
	}
	sort($said);
	show($what, ...$said);
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
none
child "fork (error)" "of the child"
parent "after" "before" "script.php (error)"
both "after" "before" "fork (error)" "of the child" "script.php (error)"
error before, open "after" "before" "script.php (error)"
known before "after" "before" "fork (error)" "of the child" "script.php (error)"
slow child "fork (slow)" "of the child"
slow before "after" "before" "script.php (slow)"
