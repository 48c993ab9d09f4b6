--TEST--
Times arrive exactly: floats and small ints are seconds, large ints nanoseconds
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/times_exact.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$times = [1700000000.25, 1700000000, 1700000000000000001, 1700000000.0, 1.5, 0, 999999999, 1000000000000, 1e-9, 4000000000.75, PHP_INT_MAX];
foreach ($times as $i => $time) {
	$id = opa_start_span("s$i", [], null, OPA_KIND_INTERNAL, $time);
	opa_add_event($id, 'e', [], $time);
	opa_end_span($id, $time);
	$span = opa_test_span("s$i");
	show(var_export($time, true), $span['start'], $span['end'], $span['events'][0]['time'] === $span['start'], $span['tags']);
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
1700000000.25 1700000000250000000 1700000000250000000 true []
1700000000 1700000000000000000 1700000000000000000 true []
1700000000000000001 1700000000000000001 1700000000000000001 true []
1700000000.0 1700000000000000000 1700000000000000000 true []
1.5 1500000000 1500000000 true []
0 0 0 true []
999999999 999999999000000000 999999999000000000 true []
1000000000000 1000000000000 1000000000000 true []
1.0E-9 1 1 true []
4000000000.75 4000000000750000000 4000000000750000000 true []
9223372036854775807 9223372036854775807 9223372036854775807 true []
