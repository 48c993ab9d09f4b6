--TEST--
Attributes, events and links beyond the limits are refused and counted
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/limits.spool
opa.exporter_path=/nonexistent/opa-exporter
opa.max_attributes=3
opa.max_events=2
opa.max_links=1
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$span = opa_test_record(static function (string $id): void {
	show('tags', opa_add_tag($id, 'a', 1), opa_add_tag($id, 'b', 1), opa_add_tag($id, 'c', 1), opa_add_tag($id, 'd', 1), opa_add_tag($id, 'a', 2));
	show('events', opa_add_event($id, 'a'), opa_add_event($id, 'b'), opa_add_event($id, 'c'));
	$to = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
	show('links', opa_add_link($id, $to), opa_add_link($id, $to));
});
show('kept', $span['tags'], count($span['events']), count($span['links']));
show('dropped', $span['dropped_tags'], $span['dropped_events'], $span['dropped_links']);
$counters = opa_status()['counters'];
show('counted', $counters['attributes_dropped'], $counters['events_dropped'], $counters['links_dropped']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
tags true true true false true
events true true false
links true false
kept {"a":2,"b":1,"c":1} 2 1
dropped 1 1 1
counted 1 1 1
