--TEST--
pcntl_exec() publishes the trace first; one that fails goes on in a new trace, linked to the first
--EXTENSIONS--
opa
pcntl
--INI--
opa.spool_dir={PWD}/exec.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

function lines(array $spans): string
{
	$names = array_column($spans, 'name', 'id');
	$traces = array_values(array_unique(array_column($spans, 'trace')));
	$lines = [];
	foreach ($spans as $span) {
		$lines[] = array_search($span['trace'], $traces, true) . " {$span['name']} < "
			. ($names[$span['parent']] ?? '-') . (isset($span['tags']['opa.unfinished']) ? ' unfinished' : '')
			. str_repeat(' linked', count($span['links'] ?? []));
	}
	return implode("\n", $lines) . "\n";
}

$run = opa_test_run(<<<'PHP'
<?php
$open = opa_start_span('open');
opa_end_span(opa_start_span('finished'));
pcntl_exec('/bin/echo', ['another', 'program']);
PHP);
show('exit', $run['exit'], $run['signal']);
echo $run['out'], lines($run['spans']);

$run = opa_test_run(<<<'PHP'
<?php
$pid = pcntl_fork();
if ($pid === 0) {
	pcntl_exec('/bin/echo', ['of the child']);
}
pcntl_waitpid($pid, $status);
PHP);
show('forked', $run['exit'], $run['signal']);
echo $run['out'], lines($run['spans']);

$run = opa_test_run(<<<'PHP'
<?php
file_put_contents(__DIR__ . '/not_a_program', "\x7fELF");
chmod(__DIR__ . '/not_a_program', 0755);
$open = opa_start_span('open');
echo json_encode([@pcntl_exec('/nonexistent'), opa_add_tag($open, 'a', 1)]), "\n";
echo json_encode([@pcntl_exec(__DIR__ . '/not_a_program'), opa_add_tag($open, 'a', 1)]), "\n";
opa_end_span(opa_start_span('later'));
PHP);
show('failed', $run['exit'], $run['signal']);
echo $run['out'], lines($run['spans']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
exit 0 0
another program
0 script.php < -
0 open < script.php unfinished
0 finished < open
forked 0 0
of the child
0 script.php < -
0 fork < script.php
failed 0 0
[false,true]
[false,false]
0 script.php < -
0 open < script.php unfinished
1 script.php < - linked
1 later < script.php
