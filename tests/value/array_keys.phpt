--TEST--
Integer keys become strings; an empty key is left out
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/array_keys.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

show('tags', opa_test_record(null, [7 => 'a', -3 => 'b', '' => 'c', PHP_INT_MIN => 'd', 'x' => ['' => 1, 'y' => 2]])['tags']);
show('added', opa_test_record(static fn (string $id) => show('set', opa_add_tag($id, '', 1), opa_add_tags($id, [1, 2])))['tags']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
tags {"7":"a","-3":"b","-9223372036854775808":"d","x":{"":1,"y":2}}
set false true
added [1,2]
