--TEST--
A limit of 0 keeps nothing of its kind, and everything else
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/limits_zero.spool
opa.exporter_path=/nonexistent/opa-exporter
opa.max_attributes=0
opa.max_events=0
opa.max_links=0
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$span = opa_test_record(static fn (string $id) => show('added', opa_add_tag($id, 'a', 1), opa_add_event($id, 'e'),
	opa_add_link($id, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'), opa_set_status($id, OPA_STATUS_ERROR, 'x')), ['a' => 1]);
show('kept', $span['tags'], $span['events'], $span['links'], $span['status']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
added false false false true
kept [] [] [] 2
