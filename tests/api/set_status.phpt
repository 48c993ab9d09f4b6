--TEST--
Status and message arrive; the message of another status than error is left out
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/set_status.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

foreach ([[OPA_STATUS_OK, 'x'], [OPA_STATUS_ERROR, 'why'], [OPA_STATUS_UNSET, 'x'], [3, 'x'], [-1, ''], [OPA_STATUS_ERROR, '']] as [$status, $message]) {
	$span = opa_test_record(static fn (string $id) => show('set', opa_set_status($id, $status, $message)));
	show('is', $span['status'], $span['message']);
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
set true
is 1 ""
set true
is 2 "why"
set true
is 0 ""
set false
is 0 ""
set false
is 0 ""
set true
is 2 ""
