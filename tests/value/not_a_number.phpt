--TEST--
NaN and the infinities arrive as such
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/not_a_number.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

foreach (opa_test_record(null, ['nan' => NAN, 'inf' => INF, 'minus' => -INF])['tags'] as $value) {
	var_dump($value);
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
float(NAN)
float(INF)
float(-INF)
