--TEST--
A function that takes its parameter by reference gets a reference, and changes nothing with it
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/trace_parameter_reference.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

show('result', opa_trace('t', function (&$id) { $id .= 'x'; return strlen($id); }));
show('ended', opa_test_span('t')['tags']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
result 17
ended []
