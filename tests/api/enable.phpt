--TEST--
opa_enable() makes a trace of a request that was none
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/enable.spool
opa.exporter_path=/nonexistent/opa-exporter
opa.enabled=0
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

show('enable', opa_enable(), opa_is_enabled(), opa_enable());
show('root', opa_root_span() === opa_current_span());
opa_end_span(opa_start_span('s'));
show('spans', array_column(opa_test_spans(), 'name'));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
enable true true true
root true
spans ["s"]
