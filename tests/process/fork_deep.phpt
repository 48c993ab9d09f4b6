--TEST--
Children of children, in fibers, with stale spans: each has its span below where it was forked
--EXTENSIONS--
opa
pcntl
--INI--
opa.spool_dir={PWD}/fork_deep.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run(<<<'PHP'
<?php
function child(callable $work): void {
	$pid = pcntl_fork();
	if ($pid === 0) { $work(); exit(0); }
	pcntl_waitpid($pid, $status);
	if ($status !== 0) { echo "status $status\n"; }
}
$a = opa_start_span('a');
$fiber = new Fiber(function () { $b = opa_start_span('b'); Fiber::suspend($b); child(fn () => opa_end_span(opa_start_span('in stale'))); });
opa_end_span($fiber->start());
opa_end_span($a);
$fiber->resume();
child(function () {
	$first = opa_start_span('first');
	child(fn () => opa_end_span(opa_start_span('second')));
	opa_end_span($first);
});
PHP);
show('exit', $run['exit'], $run['out']);
$names = array_column($run['spans'], 'name', 'id');
foreach (['first', 'second', 'in stale'] as $name) {
	$path = [];
	for ($span = opa_test_span($name, $run['spans']); $span !== null; $span = current(array_filter($run['spans'], fn ($s) => $s['id'] === $span['parent'])) ?: null) {
		$path[] = $span['name'];
	}
	echo implode(' < ', $path), "\n";
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
exit 0 ""
first < fork < script.php
second < fork < first < fork < script.php
in stale < fork < script.php
