--TEST--
The same exception is recorded once on a span, another one again
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/exception_once.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$span = opa_test_record(static function (string $id): void {
	$e = new Exception('one');
	show('recorded', opa_record_exception($id, $e), opa_record_exception($id, $e));
	for ($i = 0; $i < 3; $i++) {
		unset($e);
		$e = new Exception("other $i");
		opa_record_exception($id, $e);
	}
	for ($i = 0; $i < 3; $i++) {
		try {
			throw new Exception('again and again');
		} catch (Exception $e) {
			opa_record_exception($id, $e);
			opa_record_exception($id, $e);
		}
		unset($e);
	}
});
show('events', array_map(static fn (array $e) => $e['tags']['exception.message'], $span['events']));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
recorded true true
events ["one","other 0","other 1","other 2","again and again","again and again","again and again"]
