--TEST--
A time that is neither number nor null is a TypeError; numeric strings follow the program's mode
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/times_type.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

foreach (['soon', [], new stdClass()] as $time) {
	try {
		opa_end_span(opa_start_span('x'), $time);
		echo "accepted\n";
	} catch (TypeError $e) {
		echo $e->getMessage(), "\n";
	}
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
opa_end_span(): Argument #2 ($end) must be of type int|float|null, string given
opa_end_span(): Argument #2 ($end) must be of type int|float|null, array given
opa_end_span(): Argument #2 ($end) must be of type int|float|null, stdClass given
