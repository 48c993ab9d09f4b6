--TEST--
Ids that are unknown, malformed, empty, long or binary answer false
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/ids_invalid.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$good = opa_start_span('good');
$ids = ['unknown' => 'ffffffffffffffff', 'zero' => '0000000000000000', 'empty' => '', 'short' => 'a',
	'upper case' => strtoupper($good), 'digit first' => '1' . substr($good, 1), 'long' => $good . 'a',
	'space' => " $good", 'newline' => "$good\n", 'NUL inside' => substr($good, 0, 15) . "\0",
	'NUL behind' => "$good\0", 'not hex' => 'g' . substr($good, 1), 'binary' => random_bytes(16),
	'not UTF-8' => str_repeat("\xff", 16), '1 MB' => str_repeat('a', 1 << 20),
	'trace id' => opa_trace_id(), 'number' => (string) PHP_INT_MAX];
foreach ($ids as $what => $id) {
	$answers = [opa_add_tag($id, 'a', 1), opa_add_tags($id, ['a' => 1]), opa_add_event($id, 'e'),
		opa_add_link($id, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'),
		opa_set_parent($id, $good), opa_set_parent($good, $id), opa_set_name($id, 'x'),
		opa_set_status($id, OPA_STATUS_OK), opa_record_exception($id, new Exception('x')), opa_end_span($id)];
	if (in_array(true, $answers, true)) {
		show($what, $answers);
	}
	$child = opa_start_span("child of $what", [], $id);
	opa_end_span($child);
	$parent = opa_test_span("child of $what")['parent'];
	if ($parent !== $good) {
		show("child of $what", $parent);
	}
}
show('good', opa_add_tag($good, 'a', 1), opa_end_span($good));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
good true true
