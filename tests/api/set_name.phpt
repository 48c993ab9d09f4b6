--TEST--
A span, also the root, can be renamed
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/set_name.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$run = opa_test_run('<?php opa_set_name(opa_root_span(), "root"); $s = opa_start_span("old"); opa_set_name($s, str_repeat("n", 500)); opa_set_name($s, "new"); opa_end_span($s);');
show('names', array_column($run['spans'], 'name'));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
names ["root","new"]
