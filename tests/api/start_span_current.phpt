--TEST--
A started span becomes the current one; when it ends, the innermost that is open is
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/start_span_current.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

show('root', opa_current_span() === opa_root_span());
$a = opa_start_span('a');
$b = opa_start_span('b');
$c = opa_start_span('c', [], $a);
show('c', opa_current_span() === $c);
opa_end_span($b);
show('still c', opa_current_span() === $c);
opa_end_span($c);
show('a', opa_current_span() === $a);
opa_end_span($a);
show('root', opa_current_span() === opa_root_span());
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
root true
c true
still c true
a true
root true
