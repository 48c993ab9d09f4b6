--TEST--
A program that is the first process of its container does not get the exporter as a child
--EXTENSIONS--
opa
pcntl
--SKIPIF--
<?php
if (!getenv('OPA_EXPORTER')) die('skip needs opa-exporter beside the extension');
if (getenv('USE_ZEND_ALLOC') === '0' && !getenv('SKIP_ASAN')) die('skip valgrind knows no clone that shares memory');
if (shell_exec('unshare --pid --fork echo yes 2>/dev/null') !== "yes\n") die('skip no pid namespace may be made');
?>
--INI--
opa.spool_dir={PWD}/exporter_invisible_to_init.spool
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run('<?php
	$signals = 0;
	pcntl_async_signals(true);
	pcntl_signal(SIGCHLD, function () use (&$signals): void { $signals++; });
	opa_end_span(opa_start_span("s"));
	var_dump(getmypid(), opa_flush(20000), opa_status()["exporter"]["running"]);
	var_dump(pcntl_wait($status), pcntl_get_last_error() === PCNTL_ECHILD, $signals);
	echo exec("echo a child of its own");
	$pid = pcntl_fork() ?: exit(3);
	var_dump(pcntl_wait($status) === $pid, pcntl_wexitstatus($status), pcntl_wait($status));', [
	'through' => 'unshare --pid --fork',
	'ini' => ['opa.exporter_path' => (string) getenv('OPA_EXPORTER'), 'opa.store_path' => opa_test_spool() . '/traces.db'],
]);
echo $run['out'];
show('exit', $run['exit'], $run['signal']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
int(1)
bool(true)
bool(true)
int(-1)
bool(true)
int(0)
a child of its ownbool(true)
int(3)
int(-1)
exit 0 0
