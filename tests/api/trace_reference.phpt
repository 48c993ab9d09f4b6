--TEST--
A function that returns by reference gives its value
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/trace_reference.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

function &counter(): int {
	static $n = 5;
	return $n;
}
$value = opa_trace('t', 'counter');
$value++;
show('value', $value, counter());
$values = [opa_trace('t', 'counter')];
$values[0]++;
show('values', $values, counter());
show('types', opa_trace('t', function &() { static $list = [1]; return $list; }));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
value 6 5
values [6] 5
types [1]
