--TEST--
A valid traceparent becomes a link with its ids, flags and tags
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/add_link.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$span = opa_test_record(static fn (string $id) => show('added', opa_add_link($id, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', ['why' => 'x']),
	opa_add_link($id, '00-0af7651916cd43dd8448eb211c80319c-07ad6b7169203331-00'),
	opa_add_link($id, 'cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-holds')));
foreach ($span['links'] as $link) {
	show($link['trace'], $link['span'], $link['flags'] & 0xff, $link['tags']);
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
added true true true
0af7651916cd43dd8448eb211c80319c "b7ad6b7169203331" 1 {"why":"x"}
0af7651916cd43dd8448eb211c80319c "07ad6b7169203331" 0 []
0af7651916cd43dd8448eb211c80319c "b7ad6b7169203331" 1 []
