--TEST--
opa.trace_rotate=0: never
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/trace_rotate_off.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run('<?php for ($i = 0; $i < 100; $i++) { opa_end_span(opa_start_span("s")); usleep(100); }', ['ini' => ['opa.trace_rotate' => '0']]);
show('traces', count(array_unique(array_column($run['spans'], 'trace'))), count($run['spans']));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
traces 1 101
