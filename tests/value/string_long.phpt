--TEST--
A string beyond opa.max_value_length is cut at a whole character, and counted
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/string_long.spool
opa.exporter_path=/nonexistent/opa-exporter
opa.max_value_length=1K
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$span = opa_test_record(null, ['mega' => str_repeat('x', 1 << 20), 'fits' => str_repeat('x', 1024),
	'characters' => 'x' . str_repeat('é', 600), 'list' => array_fill(0, 10, str_repeat('x', 500))]);
show('mega', strlen($span['tags']['mega']));
show('fits', strlen($span['tags']['fits']));
show('characters', strlen($span['tags']['characters']), (bool) preg_match('//u', $span['tags']['characters']));
show('list', array_map('strlen', $span['tags']['list']));
show('added', strlen(opa_test_record(static fn (string $id) => opa_add_tag($id, 'a', str_repeat('y', 2000)))['tags']['a']));
show('counted', opa_status()['counters']['values_cut'] >= 4);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
mega 1024
fits 1024
characters 1023 true
list [500,500,24]
added 1024
counted true
