--TEST--
The last value of a key wins
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/add_tag.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

show('tags', opa_test_record(static fn (string $id) => show('set', opa_add_tag($id, 'a', 1), opa_add_tag($id, 'b', 2), opa_add_tag($id, 'a', 'three')))['tags']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
set true true true
tags {"a":"three","b":2}
