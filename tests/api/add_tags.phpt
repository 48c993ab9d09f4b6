--TEST--
Several tags are set at once; a later key wins over an earlier one
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/add_tags.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

show('tags', opa_test_record(static fn (string $id) => show('set', opa_add_tags($id, ['b' => 'B', 'c' => 3]), opa_add_tags($id, [])), ['a' => 1, 'b' => 2])['tags']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
set true true
tags {"a":1,"b":"B","c":3}
