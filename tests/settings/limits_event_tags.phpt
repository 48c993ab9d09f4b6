--TEST--
Tags of events and links have limits of their own
--EXTENSIONS--
opa
--ENV--
OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT=2
OTEL_LINK_ATTRIBUTE_COUNT_LIMIT=1
--INI--
opa.spool_dir={PWD}/limits_event_tags.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$span = opa_test_record(static function (string $id): void {
	opa_add_event($id, 'e', range(1, 5));
	opa_add_link($id, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', range(1, 5));
});
show('event', $span['events'][0]['tags'], $span['events'][0]['dropped']);
show('link', $span['links'][0]['tags'], $span['links'][0]['dropped']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
event [1,2] 3
link [1] 4
