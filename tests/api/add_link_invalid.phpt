--TEST--
An invalid traceparent answers false
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/add_link_invalid.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$good = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
$span = opa_test_record(static function (string $id) use ($good): void {
	foreach (['', 'x', substr($good, 1), "$good ", " $good", "$good-x", strtoupper($good), 'ff' . substr($good, 2),
		str_replace('0af7651916cd43dd8448eb211c80319c', str_repeat('0', 32), $good),
		str_replace('b7ad6b7169203331', str_repeat('0', 16), $good), str_replace('-', '_', $good), "$good\0",
		str_replace('af', 'zz', $good), 'cc' . substr($good, 2) . 'x', str_repeat('0', 1 << 20)] as $text) {
		if (opa_add_link($id, $text)) {
			show('accepted', substr($text, 0, 100));
		}
	}
});
show('links', $span['links']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
links []
