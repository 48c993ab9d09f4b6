--TEST--
A hundred fibers that take turns nest their spans each on its own
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/interleaved.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$fibers = [];
for ($f = 0; $f < 100; $f++) {
	$fibers[$f] = new Fiber(function () use ($f): void {
		$ids = [];
		for ($i = 0; $i < 10; $i++) {
			$ids[] = opa_start_span("$f/$i");
			Fiber::suspend();
		}
		while ($ids !== []) {
			if (opa_current_span() !== end($ids)) {
				echo "wrong\n";
			}
			opa_end_span(array_pop($ids));
			Fiber::suspend();
		}
	});
	$fibers[$f]->start();
}
mt_srand(1);
while ($fibers !== []) {
	$f = array_rand($fibers);
	$fibers[$f]->resume();
	if ($fibers[$f]->isTerminated()) {
		unset($fibers[$f]);
	}
}
$ids = array_column(opa_test_spans(), 'name', 'id') + [opa_root_span() => 'root'];
$right = 0;
foreach (opa_test_spans() as $span) {
	[$f, $i] = explode('/', $span['name']);
	$right += $ids[$span['parent']] === ($i > 0 ? "$f/" . ($i - 1) : 'root');
}
show('right', $right, opa_current_span() === opa_root_span());
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
right 1000 true
