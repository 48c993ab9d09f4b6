--TEST--
What the program says outweighs what opa finds, before and after
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/set_status_outweighs.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$span = opa_test_record(static function (string $id): void {
	opa_set_status($id, OPA_STATUS_OK);
	opa_record_exception($id, new Exception('x'));
});
show('before', $span['status'], count($span['events']));
$span = opa_test_record(static function (string $id): void {
	opa_record_exception($id, new Exception('x'));
	opa_set_status($id, OPA_STATUS_OK);
});
show('after', $span['status'], $span['message']);
$span = opa_test_record(static function (string $id): void {
	opa_set_status($id, OPA_STATUS_OK);
	opa_set_status($id, OPA_STATUS_ERROR, 'own');
	opa_record_exception($id, new Exception('x'));
});
show('own', $span['status'], $span['message']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
before 1 1
after 1 ""
own 2 "own"
