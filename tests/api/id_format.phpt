--TEST--
An id is 16 lower-case hex digits, the first of them a letter
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/id_format.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

for ($i = 0; $i < 10000; $i++) {
	$id = opa_start_span('s');
	if (!preg_match('/^[a-f][0-9a-f]{15}$/D', $id)) {
		show('bad', $id);
	}
	opa_end_span($id);
}
show('root', preg_match('/^[a-f][0-9a-f]{15}$/D', opa_root_span()));
show('trace', preg_match('/^[0-9a-f]{32}$/D', opa_trace_id()), opa_trace_id() !== str_repeat('0', 32));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
root 1
trace 1 true
