--TEST--
Names, keys and values that are empty, 1 MB, binary or not UTF-8 are taken, cut and repaired
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/names_hostile.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$mega = str_repeat('x', 1 << 20);
$bad = "a\xff\xfe\0b";
$names = [];
foreach (['', $mega, $bad, random_bytes(4096), "\xc3"] as $i => $name) {
	$id = opa_start_span($name, [$name => $name, 'n' => $i]);
	show('set', opa_set_name($id, $name), opa_add_event($id, $name, [$name => $name]),
		opa_set_status($id, OPA_STATUS_ERROR, $name), opa_add_tag($id, $name, $name), opa_end_span($id));
}
foreach (opa_test_spans() as $span) {
	foreach ([$span['name'], $span['message'], ...array_keys($span['tags']), $span['events'][0]['name']] as $text) {
		if (!preg_match('//u', (string) $text) || strlen((string) $text) > 3072) {
			show('bad', $text);
		}
	}
	foreach ($span['tags'] as $value) {
		if (is_string($value) && (!preg_match('//u', $value) || strlen($value) > 3 * 16384)) {
			show('bad value', strlen($value));
		}
	}
	$names[] = strlen($span['name']);
}
show('lengths', [$names[0], $names[1]]);
show('repaired', opa_test_spans()[2]['name'] === "a\u{fffd}\u{fffd}\0b");
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
set true true true false true
set true true true true true
set true true true true true
set true true true true true
set true true true true true
lengths [0,1024]
repaired true
