--TEST--
opa_status() tells what is going on
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/million_keys_status.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$open = opa_start_span('open');
opa_end_span(opa_start_span('s'));
opa_flush(0);
$status = opa_status();
show('keys', array_keys($status));
show('version', $status['version'] === OPA_VERSION);
show('state', $status['enabled'], $status['trace_id'] === opa_trace_id(), $status['open_spans'], $status['memory'] > 0);
show('spool', $status['spool']['path'] === opa_test_spool(), $status['spool']['off'], $status['spool']['max_size'] > 0, $status['spool']['size'] > 0);
show('exporter', $status['exporter']['path'], $status['exporter']['running']);
show('setting', $status['settings']['opa.sample_rate'], $status['settings']['opa.spool_dir']['source']);
show('counters', $status['counters']['spans_started'] >= 1, count($status['counters']) > 10);
opa_disable();
show('disabled', opa_status()['enabled']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
keys ["version","enabled","trace_id","problem","open_spans","memory","counters","spool","exporter","warnings","settings"]
version true
state true true 2 true
spool true false true true
exporter "/nonexistent/opa-exporter" false
setting {"value":"1","source":"default"} "ini"
counters true true
disabled false
