--TEST--
opa_trace() records what the function throws and lets it pass
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/trace_throws.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

foreach ([new DomainException('passes'), new Error('error')] as $thrown) {
	try {
		opa_trace('t', fn () => throw $thrown);
		echo "not thrown\n";
	} catch (Throwable $e) {
		show('the same', $e === $thrown, opa_current_span() === opa_root_span());
	}
}
foreach (opa_test_spans() as $span) {
	show($span['name'], $span['status'], $span['message'], array_column(array_column($span['events'], 'tags'), 'exception.type'));
}
try {
	opa_trace('wrong', fn (int $id) => 1);
} catch (TypeError $e) {
	show('wrong', opa_test_span('wrong')['status']);
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
the same true true
the same true true
t 2 "passes" ["DomainException"]
t 2 "error" ["Error"]
wrong 2
