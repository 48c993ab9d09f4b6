--TEST--
A script's trace that is older than opa.trace_rotate ends, and a new one linked to it begins
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/trace_rotate.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run(<<<'PHP'
<?php
$first = opa_trace_id();
opa_end_span(opa_start_span('one'));
$open = opa_start_span('kept open');
for ($end = hrtime(true) + 350e6; hrtime(true) < $end;) {}
opa_end_span(opa_start_span('two'));
echo json_encode(opa_trace_id() === $first), "\n";
opa_end_span($open);
opa_end_span(opa_start_span('three'));
echo json_encode(opa_trace_id() === $first), "\n";
PHP, ['ini' => ['opa.trace_rotate' => '300ms']]);
echo $run['out'];
$traces = [];
foreach ($run['spans'] as $span) {
	$traces[$span['trace']][] = $span['name'];
}
show('traces', array_values($traces));
$roots = array_values(array_filter($run['spans'], fn ($s) => $s['parent'] === ''));
show('linked', $roots[0]['links'], $roots[1]['links'][0]['trace'] === $roots[0]['trace'], $roots[1]['links'][0]['span'] === $roots[0]['id']);
show('three below the second', opa_test_span('three', $run['spans'])['parent'] === $roots[1]['id']);
$complete = [];
foreach (opa_test_records($run['spool']) as $record) {
	$complete[$record['trace']] = ($complete[$record['trace']] ?? 0) + ($record['flags'] & 1);
}
show('each complete once', array_values($complete));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
true
false
traces [["script.php","one","kept open","two"],["script.php","three"]]
linked [] true true
three below the second true
each complete once [1,1]
