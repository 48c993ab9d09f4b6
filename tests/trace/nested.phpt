--TEST--
Traces within traces, ended in any order: each id knows its own
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/nested.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$root = opa_root_span();
$a = opa_start_trace('a');
$in_a = opa_start_span('in a');
$b = opa_start_trace('b');
$in_b = opa_start_span('in b');
$c = opa_start_trace('c');
show('c', opa_root_span() === $c, opa_current_span() === $c);
show('end b first', opa_end_trace($b), opa_root_span() === $c);
show('c goes on', opa_end_span(opa_start_span('in c')), opa_add_tag($in_a, 'a', 1), opa_add_tag($in_b, 'b', 1));
show('end c', opa_end_trace($c), opa_root_span() === $a, opa_current_span() === $in_a);
show('end a', opa_end_trace($a), opa_root_span() === $root, opa_current_span() === $root, opa_end_trace($a));
$spans = opa_test_spans();
$traces = [];
foreach ($spans as $span) {
	$traces[$span['trace']][] = $span['name'] . (isset($span['tags']['opa.unfinished']) ? ' (unfinished)' : '');
}
show('traces', array_values($traces));
$links = [];
foreach (['a', 'b', 'c'] as $name) {
	$links[$name] = opa_test_span($name, $spans)['links'][0]['span'];
}
show('links', $links === ['a' => $root, 'b' => $in_a, 'c' => $in_b]);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
c true true
end b first true true
c goes on true true false
end c true true true
end a true true true false
traces [["a","in a (unfinished)"],["b","in b (unfinished)"],["c","in c"]]
links true
