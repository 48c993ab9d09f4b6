--TEST--
Of an array with a million elements the first thousand are taken
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/array_huge.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$span = opa_test_record(null, ['list' => range(1, 1000000), 'map' => array_flip(array_map(fn ($i) => "k$i", range(1, 100000))),
	'wide' => array_fill(0, 100, range(1, 100))]);
show('list', count($span['tags']['list']));
show('map', count((array) $span['tags']['map']) <= 1024);
show('wide', array_sum(array_map('count', $span['tags']['wide'])) <= 1024);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
list 1024
map true
wide true
