--TEST--
A million ids used as array keys stay strings and differ
--EXTENSIONS--
opa
--SKIPIF--
<?php
if (getenv('SKIP_SLOW_TESTS')) die('skip slow');
if (getenv('USE_ZEND_ALLOC') === '0' && !getenv('SKIP_ASAN')) die('skip too slow for valgrind');
?>
--INI--
opa.spool_dir={PWD}/id_array_key_million.spool
opa.exporter_path=/nonexistent/opa-exporter
memory_limit=512M
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$ids = [];
for ($i = 0; $i < 1000000; $i++) {
	$id = opa_start_span('s');
	$ids[$id] = true;
	opa_end_span($id);
}
show('distinct', count($ids));
$strings = 0;
foreach ($ids as $id => $_) {
	$strings += is_string($id);
}
show('strings', $strings);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
distinct 1000000
strings 1000000
