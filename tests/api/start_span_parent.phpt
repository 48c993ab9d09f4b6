--TEST--
A span is a child of the given parent, else of the current span; an invalid parent counts as none
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/start_span_parent.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$a = opa_start_span('a');
$b = opa_start_span('b');
$c = opa_start_span('c', [], $a);
$d = opa_start_span('d', [], null);
$e = opa_start_span('e', [], 'nonsense');
foreach ([$e, $d, $c, $b, $a] as $id) {
	opa_end_span($id);
}
$names = ['' => '', opa_root_span() => 'root', $a => 'a', $b => 'b', $c => 'c', $d => 'd'];
foreach (opa_test_spans() as $span) {
	show($span['name'], $names[$span['parent']]);
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
a "root"
b "a"
c "a"
d "c"
e "d"
