--TEST--
What is no time is taken for now: negative, NaN, infinite, too late
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/times_invalid.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$now = time();
foreach ([-1, -1.5, NAN, INF, -INF, 1e300, 9223372037, 999999999999, 9300000000.0, PHP_INT_MIN, -0.1] as $i => $time) {
	$id = opa_start_span("s$i", [], null, OPA_KIND_INTERNAL, $time);
	opa_end_span($id, $time);
	$span = opa_test_span("s$i");
	$seconds = intdiv($span['start'], 1000000000) - $now;
	if ($seconds < -1 || $seconds > 600 || $span['end'] < $span['start'] || $span['tags'] !== []) {
		show(var_export($time, true), $span['start'], $span['end'], $span['tags']);
	}
}
echo "done\n";
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
done
