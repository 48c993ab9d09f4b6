--TEST--
opa.trace_cli=0: scripts are not traced, and not by opa_enable() either
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/trace_cli_off.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run('<?php echo json_encode([opa_is_enabled(), opa_enable(), opa_start_span("s")]);', ['ini' => ['opa.trace_cli' => '0']]);
show('out', $run['out'], $run['spans']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
out "[false,false,\"0000000000000000\"]" []
