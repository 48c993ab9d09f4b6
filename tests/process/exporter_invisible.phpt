--TEST--
A program that starts the exporter has no child to wait for, gets no signal, and keeps its descriptors
--EXTENSIONS--
opa
pcntl
--SKIPIF--
<?php
if (!getenv('OPA_EXPORTER')) die('skip needs opa-exporter beside the extension');
if (getenv('USE_ZEND_ALLOC') === '0' && !getenv('SKIP_ASAN')) die('skip the exporter is not to be traced');
?>
--INI--
opa.spool_dir={PWD}/exporter_invisible.spool
opa.store_path={PWD}/exporter_invisible.spool/traces.db
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$signals = 0;
pcntl_async_signals(true);
pcntl_signal(SIGCHLD, function () use (&$signals): void { $signals++; });
opa_end_span(opa_start_span('s'));
show('brought in', opa_flush(20000), opa_status()['exporter']['running']);
show('children', pcntl_wait($status), pcntl_waitpid(-1, $status, WNOHANG), pcntl_get_last_error() === PCNTL_ECHILD, $signals);
$exporter = (int) opa_status()['exporter']['state']['pid'];
show('no child of ours', (int) preg_replace('/^.*\) \S (\d+) .*$/s', '$1', (string) file_get_contents("/proc/$exporter/stat")) !== getmypid());
// It leaves once its spool is told to be served no more; the test's own is removed at the end.
$exporter > 1 && pcntl_exec('/bin/kill', [(string) $exporter]);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
brought in true true
children -1 -1 true 0
no child of ours true
