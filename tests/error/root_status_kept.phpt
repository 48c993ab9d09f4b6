--TEST--
What the program said of the root span stands against an exit status
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/root_status_kept.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run('<?php opa_set_status(opa_root_span(), OPA_STATUS_OK); exit(1);');
show('root', opa_test_root($run)['status']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
root 1
