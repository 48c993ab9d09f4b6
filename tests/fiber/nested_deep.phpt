--TEST--
Fibers in fibers, a hundred deep, inherit one from the other
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/nested_deep.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

function deeper(int $left): void
{
	opa_trace("level $left", function () use ($left): void {
		if ($left > 0) {
			(new Fiber(fn () => deeper($left - 1)))->start();
		}
	});
}
deeper(100);
$ids = array_column(opa_test_spans(), 'name', 'id');
$right = 0;
foreach (opa_test_spans() as $span) {
	$right += ($ids[$span['parent']] ?? 'root') === ($span['name'] === 'level 100' ? 'root' : 'level ' . (substr($span['name'], 6) + 1));
}
show('right', $right);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
right 101
