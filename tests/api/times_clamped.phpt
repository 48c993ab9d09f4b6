--TEST--
An end before the start is taken for the start, and marked
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/times_clamped.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$id = opa_start_span('s', start: 1700000000);
opa_end_span($id, 1600000000);
$span = opa_test_span('s');
show('s', $span['end'] - $span['start'], $span['tags']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
s 0 {"opa.time_clamped":true}
