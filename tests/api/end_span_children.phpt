--TEST--
Children that are open stay open when their parent ends
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/end_span_children.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$parent = opa_start_span('parent');
$child = opa_start_span('child');
show('end', opa_end_span($parent), opa_add_tag($child, 'a', 1), opa_current_span() === $child, opa_end_span($child));
show('child', opa_test_span('child')['parent'] === $parent);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
end true true true true
child true
