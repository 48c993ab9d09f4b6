--TEST--
Keys that become equal on the wire stand there once, with the last value
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/keys_become_equal.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$long = str_repeat('k', 2000);
$tags = ["\xff" => 1, "\xfe" => 2, "\u{FFFD}" => 3, $long . 'a' => 4, $long . 'b' => 5, 'other' => 6];
$span = opa_test_record(static function (string $id) use ($tags): void {
	opa_add_event($id, 'event', $tags);
	opa_add_link($id, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', $tags);
	opa_add_tag($id, 'nested', $tags);
}, $tags);
unset($span['tags']['nested']->other);
show('event', array_values($span['events'][0]['tags']));
show('link', array_values($span['links'][0]['tags']));
show('nested', array_values((array) $span['tags']['nested']));
unset($span['tags']['nested']);
show('span', array_values($span['tags']));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
event [3,5,6]
link [3,5,6]
nested [3,5]
span [3,5,6]
