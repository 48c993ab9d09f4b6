--TEST--
A forked child's trace is rotated, too
--EXTENSIONS--
opa
pcntl
--INI--
opa.spool_dir={PWD}/trace_rotate_fork.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run(<<<'PHP'
<?php
$open = opa_start_span('open in the parent');
$pid = pcntl_fork();
if ($pid === 0) {
	opa_end_span(opa_start_span('first'));
	$first = opa_trace_id();
	for ($end = hrtime(true) + 350e6; hrtime(true) < $end;) {}
	opa_end_span(opa_start_span('second'));
	echo json_encode(opa_trace_id() === $first), "\n";
	exit(0);
}
pcntl_waitpid($pid, $status);
PHP, ['ini' => ['opa.trace_rotate' => '300ms']]);
echo $run['out'];
$second = opa_test_span('second', $run['spans']);
$root = array_values(array_filter($run['spans'], fn ($s) => $s['id'] === $second['parent']))[0];
show('second', $root['parent'], $root['links'][0]['trace'] === opa_test_span('first', $run['spans'])['trace'],
	$root['links'][0]['span'] === opa_test_span('fork', $run['spans'])['id']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
false
second "" true true
