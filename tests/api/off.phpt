--TEST--
When tracing is off ids are zero and every function answers false at once
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/off.spool
opa.exporter_path=/nonexistent/opa-exporter
opa.enabled=0
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$zero = '0000000000000000';
show('off', opa_is_enabled(), opa_current_span(), opa_root_span(), opa_trace_id(), opa_traceparent(), opa_propagation_headers());
$id = opa_start_span('s', ['a' => 1]);
show('id', $id);
show('false', opa_add_tag($id, 'a', 1), opa_add_tags($id, []), opa_add_event($id, 'e'),
	opa_add_link($id, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'), opa_set_parent($id, $id), opa_set_name($id, 'x'),
	opa_set_status($id, OPA_STATUS_OK), opa_record_exception($id, new Exception('x')), opa_track_error(new Exception('x')), opa_end_span($id), opa_flush(), opa_disable());
show('trace', opa_trace('t', fn (string $id) => $id));
opa_dump($id);
class Loud {
	public function __toString(): string { echo "must not run\n"; return ''; }
}
opa_start_span('s', [new Loud()]);
opa_add_tag($id, 'a', new Loud());
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
off false "0000000000000000" "0000000000000000" null null []
id "0000000000000000"
false false false false false false false false false false false false false
trace "0000000000000000"
