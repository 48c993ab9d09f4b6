--TEST--
A span of opa_trace() that is switched off inside stays open and is closed with the request
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/trace_disabled_inside.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run('<?php echo opa_trace("t", fn () => (int) opa_disable());');
show('out', $run['out'], opa_test_span('t', $run['spans'])['tags']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
out "1" {"opa.unfinished":true}
