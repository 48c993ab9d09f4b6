--TEST--
Every function answers false for a span that has ended
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/tag_after_end.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$id = opa_start_span('ended', ['kept' => 1]);
show('end', opa_end_span($id));
show('after', opa_add_tag($id, 'a', 1), opa_add_tags($id, ['a' => 1]), opa_add_event($id, 'e'),
	opa_add_link($id, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'),
	opa_set_parent($id, opa_root_span()), opa_set_name($id, 'x'), opa_set_status($id, OPA_STATUS_OK),
	opa_record_exception($id, new Exception('x')), opa_end_span($id));
$open = opa_start_span('open');
show('as parent', opa_set_parent($open, $id));
opa_end_span($open);
show('tags', opa_test_span('ended')['tags']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
end true
after false false false false false false false false false
as parent false
tags {"kept":1}
