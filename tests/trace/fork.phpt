--TEST--
In a child that is forked within a started trace what is open is the parent's; the child goes on below it
--EXTENSIONS--
opa
pcntl
--INI--
opa.spool_dir={PWD}/fork.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run(<<<'PHP'
<?php
$root = opa_root_span();
$job = opa_start_trace('job');
$inner = opa_start_span('inner');
$deeper = opa_start_trace('deeper');
$trace = opa_trace_id();
$pid = pcntl_fork();
if ($pid === 0) {
	echo json_encode(['child', opa_trace_id() === $trace, opa_root_span() !== $deeper, opa_end_trace($deeper), opa_end_trace($job),
		opa_end_span($inner), opa_add_tag($root, 'a', 1)]), "\n";
	opa_end_span(opa_start_span('of the child'));
	$own = opa_start_trace('job of the child');
	echo json_encode(['own', opa_root_span() === $own, opa_end_trace($own), opa_trace_id() === $trace]), "\n";
	opa_start_trace('left by the child');
	exit(0);
}
pcntl_waitpid($pid, $status);
echo json_encode(['parent', $status, opa_end_trace($deeper), opa_end_span($inner), opa_end_trace($job)]), "\n";
PHP);
echo $run['out'];
$names = array_column($run['spans'], 'name', 'id');
$lines = [];
foreach ($run['spans'] as $span) {
	$lines[] = "{$span['name']} < " . ($names[$span['parent']] ?? '-') . ' ' . json_encode(array_map(static fn (array $l): string => $names[$l['span']], $span['links']))
		. (isset($span['tags']['opa.unfinished']) ? ' unfinished' : '');
}
sort($lines);
echo implode("\n", $lines), "\n";
show('traces', count($names), count(array_unique(array_column($run['spans'], 'trace'))));

$run = opa_test_run(<<<'PHP'
<?php
$not = ['traceparent' => '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00'];
opa_start_trace('not wanted', [], $not);
$sent = opa_traceparent();
if (pcntl_fork() === 0) {
	echo json_encode(['child', opa_start_span('s'), opa_traceparent() === $sent, opa_end_trace(opa_start_trace('wanted'))]), "\n";
	exit(0);
}
pcntl_wait($status);
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
["child",true,true,false,false,false,false]
["own",true,true,true]
["parent",0,true,true,true]
deeper < - ["inner"]
fork < deeper []
inner < job []
job < - ["script.php"]
job of the child < - ["fork"]
left by the child < - ["fork"] unfinished
of the child < fork []
script.php < - []
traces 8 5
["child","0000000000000000",true,true]
spans ["script.php","wanted"]
