--TEST--
opa_status() counts what the running trace has lost until now
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/status_counts.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$span = opa_start_span('s');
for ($i = 0; $i < 130; $i++) {
	opa_add_tag($span, "k$i", $i);
	opa_add_event($span, 'e');
}
$counters = opa_status()['counters'];
show('dropped', $counters['attributes_dropped'], $counters['events_dropped'], $counters['spans_started'] >= 2);
opa_add_tag($span, 'one more', 1);
opa_flush(0);
show('after flush', opa_status()['counters']['attributes_dropped']);
opa_end_span($span);
show('counted once', opa_status()['counters']['attributes_dropped']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
dropped 2 2 true
after flush 3
counted once 3
