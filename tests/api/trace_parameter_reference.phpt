--TEST--
A function that takes its parameter by reference gets the id with PHP's own warning
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/trace_parameter_reference.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

show('result', opa_trace('t', function (&$id) { $id .= 'x'; return strlen($id); }));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECTF--
Warning: {closure%S}(): Argument #1 ($id) must be passed by reference, value given in %s on line %d
result 17
