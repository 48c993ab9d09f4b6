--TEST--
opa_track_error() records on the current span
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/track_error.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

show('root', opa_track_error(new Exception('root')));
$span = opa_test_record(static fn () => show('current', opa_track_error(new LogicException('inner'))));
show('inner', $span['events'][0]['tags']['exception.type'], $span['status'], $span['message']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
root true
current true
inner "LogicException" 2 "inner"
