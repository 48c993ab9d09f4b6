--TEST--
A null behind a reference is a null, under a key on the list, too
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/redacted_null.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$null = null;
show('tags', opa_test_record(null, ['password' => &$null, 'kept' => ['token' => &$null]])['tags']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
tags {"kept":{"token":null}}
