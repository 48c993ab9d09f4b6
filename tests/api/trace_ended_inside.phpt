--TEST--
A span of opa_trace() that the function ends itself
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/trace_ended_inside.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

show('end', opa_trace('t', fn (string $id) => opa_end_span($id)), opa_current_span() === opa_root_span());
try {
	opa_trace('u', function (string $id) { opa_end_span($id); throw new Exception('x'); });
} catch (Exception) {
}
show('spans', array_map(fn ($s) => [$s['name'], count($s['events'])], opa_test_spans()));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
end true true
spans [["t",0],["u",0]]
