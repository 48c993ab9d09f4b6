--TEST--
A generator that is driven by two fibers writes to whichever runs it
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/generator_in_fiber.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$generator = (function () {
	while (true) {
		$id = opa_start_span('step');
		yield opa_end_span($id);
	}
})();
foreach (['a', 'b'] as $name) {
	(new Fiber(function () use ($name, $generator): void {
		$id = opa_start_span($name);
		$name === 'a' ? $generator->current() : $generator->next();
		opa_end_span($id);
	}))->start();
}
$ids = array_column(opa_test_spans(), 'name', 'id');
foreach (opa_test_spans() as $span) {
	show($span['name'], $ids[$span['parent']] ?? 'root');
}
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
a "root"
step "a"
b "root"
step "b"
