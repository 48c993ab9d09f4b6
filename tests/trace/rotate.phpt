--TEST--
The request's own trace is rotated beside started ones, which are not
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/rotate.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run(<<<'PHP'
<?php
function pass(): void
{
	for ($end = hrtime(true) + 80e6; hrtime(true) < $end;) {}
}
$first = opa_trace_id();
$job = opa_start_trace('long job');
pass();
opa_end_span(opa_start_span('one'));
pass();
opa_end_span(opa_start_span('two'));
echo json_encode([opa_root_span() === $job, opa_end_trace($job), opa_trace_id() === $first]), "\n";
$job = opa_start_trace('next job');
opa_end_trace($job);
echo json_encode(opa_trace_id() === $first), "\n";
PHP, ['ini' => ['opa.trace_rotate' => '50ms']]);
echo $run['out'];
$names = array_column($run['spans'], 'name', 'id');
$traces = [];
foreach ($run['spans'] as $span) {
	$traces[$span['trace']][] = [$span['name'], array_map(static fn (array $l): string => $names[$l['span']], $span['links'])];
}
array_map(static fn (array $t) => show('trace', $t), array_values($traces));
$next = opa_test_span('next job', $run['spans'])['links'][0]['trace'];
show('linked to the second', $next !== $run['spans'][0]['trace'], count(array_unique(array_column($run['spans'], 'trace'))));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
[true,true,true]
false
trace [["script.php",[]]]
trace [["long job",["script.php"]],["one",[]],["two",[]]]
trace [["script.php",["script.php"]]]
trace [["next job",["script.php"]]]
linked to the second true 4
