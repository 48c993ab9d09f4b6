--TEST--
The root span ends with the request only
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/end_span_root.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$root = opa_root_span();
show('end', opa_end_span($root), opa_current_span() === $root, opa_add_tag($root, 'a', 1));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
end false true true
