--TEST--
A circle is refused, and everything stays as it was
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/set_parent_cycle.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$a = opa_start_span('a');
$b = opa_start_span('b');
$c = opa_start_span('c');
show('refused', opa_set_parent($a, $a), opa_set_parent($a, $b), opa_set_parent($a, $c), opa_set_parent($b, $c), opa_set_parent(opa_root_span(), $a));
foreach ([$c, $b, $a] as $id) {
	opa_end_span($id);
}
show('b', opa_test_span('b')['parent'] === $a);
show('c', opa_test_span('c')['parent'] === $b);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
refused false false false false false
b true
c true
