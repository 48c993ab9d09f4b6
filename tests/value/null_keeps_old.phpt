--TEST--
A null does not touch the tag that stands
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/null_keeps_old.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

show('tags', opa_test_record(static fn (string $id) => show('set', opa_add_tag($id, 'a', null), opa_add_tags($id, ['a' => null])), ['a' => 1])['tags']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
set false true
tags {"a":1}
