--TEST--
After pcntl_fork both go on: each span arrives once, the child has a span "fork" and its own ids
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
$done = opa_start_span('finished before');
opa_end_span($done);
$open = opa_start_span('open');
$inner = opa_start_span('inner');
$pid = pcntl_fork();
if ($pid === 0) {
	echo json_encode(['child', opa_add_tag($open, 'child', 1), opa_end_span($inner), opa_set_name($open, 'x'),
		opa_set_parent($inner, $open), opa_end_span($open)]), "\n";
	$own = opa_start_span('of the child');
	echo json_encode([$own !== $inner, opa_add_tag($own, 'a', 1)]), "\n";
	opa_end_span($own);
	exit(0);
}
$own = opa_start_span('of the parent');
pcntl_waitpid($pid, $status);
echo json_encode(['parent', $status, opa_end_span($own), opa_add_tag($inner, 'parent', 1), opa_end_span($inner), opa_end_span($open)]), "\n";
PHP);
show('exit', $run['exit'], $run['signal']);
echo $run['out'];
$names = array_column($run['spans'], 'name', 'id');
$lines = [];
foreach ($run['spans'] as $span) {
	$lines[] = "{$span['name']} < " . ($names[$span['parent']] ?? '-');
}
sort($lines);
echo implode("\n", $lines), "\n";
show('ids', count($names), count(array_unique(array_column($run['spans'], 'trace'))));
$pids = array_map(fn ($n) => opa_test_span($n, $run['spans'])['resource']['process.pid'], ['open', 'fork', 'of the child']);
show('pids', $pids[0] !== $pids[1], $pids[1] === $pids[2]);
show('inner', opa_test_span('inner', $run['spans'])['tags']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
exit 0 0
["child",false,false,false,false,false]
[true,true]
["parent",0,true,true,true,true]
finished before < script.php
fork < inner
inner < open
of the child < fork
of the parent < inner
open < script.php
script.php < -
ids 7 1
pids true true
inner {"parent":1}
