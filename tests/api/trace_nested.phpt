--TEST--
Nested opa_trace() calls nest; an exception is recorded on each span that it passes
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/trace_nested.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

try {
	opa_trace('a', fn () => opa_trace('b', fn () => opa_trace('c', fn () => throw new Exception('x'))));
} catch (Exception) {
}
[$a, $b, $c] = opa_test_spans();
show('nested', $b['parent'] === $a['id'], $c['parent'] === $b['id']);
show('recorded', array_map(static fn (array $s): array => [$s['status'], count($s['events'])], [$a, $b, $c]));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
nested true true
recorded [[2,1],[2,1],[2,1]]
