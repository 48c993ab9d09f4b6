--TEST--
A hundred thousand open spans are held, used and closed
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/open_spans_100000.spool
opa.exporter_path=/nonexistent/opa-exporter
memory_limit=1G
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$ids = [];
for ($i = 0; $i < 100000; $i++) {
	$ids[] = opa_start_span('open', [], $ids[0] ?? null);
}
show('distinct', count(array_flip($ids)));
show('open', opa_status()['open_spans'] >= 100000);
$done = 0;
foreach ($ids as $id) {
	$done += opa_add_tag($id, 'n', 1);
}
show('tagged', $done);
foreach (array_reverse($ids) as $id) {
	$done += opa_end_span($id);
}
show('ended', $done);
show('stored', count(opa_test_spans()));
show('open', opa_status()['open_spans']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
distinct 100000
open true
tagged 100000
ended 200000
stored 100000
open 1
