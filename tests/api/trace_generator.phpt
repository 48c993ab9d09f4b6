--TEST--
opa_trace() around a generator function ends with its call, spans inside the generator go on
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/trace_generator.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$generator = opa_trace('t', function (string $id) {
	$inner = opa_start_span('inner');
	yield opa_add_tag($id, 'late', 1);
	yield opa_current_span() === $inner;
	opa_end_span($inner);
});
show('current', opa_current_span() === opa_root_span());
show('yielded', iterator_to_array($generator));
show('spans', array_column(opa_test_spans(), 'name'));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
current true
yielded [false,true]
spans ["t","inner"]
