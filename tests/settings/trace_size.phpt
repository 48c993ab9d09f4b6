--TEST--
A trace that has reached opa.max_trace_size refuses more, counts it, and goes on when spans have ended
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/trace_size.spool
opa.exporter_path=/nonexistent/opa-exporter
opa.max_trace_size=64K
opa.max_attributes=65535
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$id = opa_start_span('large');
for ($i = 0; $i < 10000 && opa_add_tag($id, "key $i", str_repeat('x', 100)); $i++);
show('refused', $i > 100 && $i < 700);
$none = 0;
for ($n = 0; $n < 1000; $n++) {
	$none += opa_start_span('more') === '0000000000000000';
}
show('spans refused', $none > 900);
show('end', opa_end_span($id));
$next = opa_start_span('next');
show('next', $next !== '0000000000000000', opa_add_tag($next, 'a', 1));
opa_flush(0);
show('counted', opa_status()['counters']['refused_trace_size'] >= $none);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
refused true
spans refused true
end true
next true true
counted true
