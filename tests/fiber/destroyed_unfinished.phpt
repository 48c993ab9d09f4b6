--TEST--
A fiber that is destroyed unfinished leaves its spans open for others, and nothing behind
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/destroyed_unfinished.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

for ($i = 0; $i < 1000; $i++) {
	$fiber = new Fiber(function () use ($i): void {
		$span = opa_start_span("s$i");
		try {
			Fiber::suspend($span);
		} finally {
			opa_add_tag($span, 'finally', opa_current_span() === $span);
		}
	});
	$id = $fiber->start();
	unset($fiber);
	// The next fiber may have the same address, and must not find this one's state.
	if (opa_current_span() !== opa_root_span() || !opa_end_span($id)) {
		echo "wrong\n";
	}
}
$spans = opa_test_spans();
show('spans', count($spans), count(array_filter($spans, fn ($s) => $s['tags'] === ['finally' => true] && $s['parent'] === opa_root_span())));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
spans 1000 1000
