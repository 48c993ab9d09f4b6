--TEST--
Values of all kinds, one after the other under one key: the last one wins
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/wide_mix.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$values = [1, 'a', str_repeat('x', 5000), [1, [2]], 2.5, true, ['a' => 'b'], str_repeat('y', 10), ['z']];
$span = opa_test_record(static function (string $id) use ($values): void {
	for ($i = 0; $i < 1000; $i++) {
		foreach ($values as $value) {
			opa_add_tag($id, 'key', $value) || print "refused\n";
		}
	}
});
show('tags', $span['tags']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
tags {"key":["z"]}
