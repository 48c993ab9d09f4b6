--TEST--
Of traces that are never ended the earliest end when there are too many; memory stays bounded
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/very_many.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$first = opa_start_trace('job 0');
for ($i = 1; $i < 10000; $i++) {
	$last = opa_start_trace("job $i");
}
show('all are open', opa_add_tag($first, 'a', 1), opa_status()['open_spans']);
$next = opa_start_trace('job 10000');
show('the earliest is not', opa_add_tag($first, 'a', 2), opa_end_trace($first), opa_status()['open_spans']);
show('the others are', opa_add_tag($last, 'a', 1), opa_end_trace($last), opa_root_span() === $next, opa_end_trace($next));
$span = opa_test_span('job 0');
show('published', $span['tags']);
$not = ['traceparent' => '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00'];
for ($i = 0; $i < 20001; $i++) {
	opa_start_trace('not wanted', [], $not);
}
for ($i = 0; $i < 9000; $i++) {
	opa_end_trace('0000000000000000');
}
show('not wanted', opa_root_span(), opa_status()['open_spans']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
all are open true 10001
the earliest is not false false 10001
the others are true true true true
published {"a":1,"opa.unfinished":true}
not wanted "0000000000000000" 1
