--TEST--
$GLOBALS as tags neither harms nor runs on
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/array_globals.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$deep = ['a' => ['b' => 1]];
$span = opa_test_record(static fn (string $id) => show('set', is_bool(opa_add_tags($id, $GLOBALS))));
show('deep', $span['tags']['deep']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
set true
deep {"a":{"b":1}}
