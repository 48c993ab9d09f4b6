--TEST--
A span can be moved under another open one
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/set_parent.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$a = opa_start_span('a');
$b = opa_start_span('b');
$c = opa_start_span('c');
show('set', opa_set_parent($c, $a), opa_set_parent($b, opa_root_span()));
foreach ([$c, $b, $a] as $id) {
	opa_end_span($id);
}
show('c', opa_test_span('c')['parent'] === $a);
show('b', opa_test_span('b')['parent'] === opa_root_span());
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
set true true
c true
b true
