--TEST--
Events keep their order, name, time and tags
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/add_event.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$span = opa_test_record(static fn (string $id) => show('added', opa_add_event($id, 'one', ['a' => 1]), opa_add_event($id, 'two', time: 5), opa_add_event($id, '')));
foreach ($span['events'] as $event) {
	show($event['name'], $event['tags'], $event['time'] === 5000000000 || ($event['time'] >= $span['start'] && $event['time'] <= $span['end']));
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
added true true true
one {"a":1} true
two [] true
 [] true
