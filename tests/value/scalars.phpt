--TEST--
Scalars arrive as what they are; null is left out
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/scalars.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$span = opa_test_record(null, ['true' => true, 'false' => false, 'zero' => 0, 'min' => PHP_INT_MIN,
	'max' => PHP_INT_MAX, 'minus' => -1, 'float' => 1.5, 'whole float' => 2.0, 'tiny' => 5e-324, 'negative zero' => -0.0,
	'text' => 'text', 'empty' => '', 'digits' => '12', 'null' => null]);
foreach ($span['tags'] as $key => $value) {
	echo $key, ' ';
	var_dump($value);
}
show('a null', opa_test_record(static fn (string $id) => show('set', opa_add_tag($id, 'a', null)))['tags']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
true bool(true)
false bool(false)
zero int(0)
min int(-9223372036854775808)
max int(9223372036854775807)
minus int(-1)
float float(1.5)
whole float float(2)
tiny float(5.0E-324)
negative zero float(-0)
text string(4) "text"
empty string(0) ""
digits string(2) "12"
set false
a null []
