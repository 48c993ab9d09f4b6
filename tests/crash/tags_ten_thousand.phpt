--TEST--
Of ten thousand tags on one span those within the limit are kept and the others counted
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/tags_ten_thousand.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$span = opa_test_record(static function (string $id): void {
	$set = 0;
	for ($i = 0; $i < 10000; $i++) {
		$set += opa_add_tag($id, "key $i", $i);
	}
	show('set', $set);
	show('an old key', opa_add_tag($id, 'key 0', 'again'));
	show('a new key', opa_add_tag($id, 'another', 1));
});
show('kept', count($span['tags']), $span['tags']['key 0'], $span['dropped_tags']);
$all = opa_test_record(null, range(1, 10000));
show('at the start', count($all['tags']), $all['dropped_tags']);
$more = opa_test_record(static fn (string $id) => show('together', opa_add_tags($id, range(1, 10000))));
show('kept', count($more['tags']), $more['dropped_tags']);
show('counted', opa_status()['counters']['attributes_dropped']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
set 128
an old key true
a new key false
kept 128 "again" 9873
at the start 128 9872
together false
kept 128 9872
counted 29617
