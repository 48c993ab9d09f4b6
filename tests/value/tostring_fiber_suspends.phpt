--TEST--
A __toString that suspends the fiber: the call goes on when the fiber does, or never
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/tostring_fiber_suspends.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

class Suspends {
	public function __toString(): string { return Fiber::suspend() ?? 'resumed'; }
}
$fiber = new Fiber(function (): void {
	$id = opa_start_span('in fiber', ['a' => str_repeat('x', 4000), 'b' => [new Suspends(), 'c']]);
	show('set', opa_add_tag($id, 'later', new Suspends()), opa_end_span($id));
});
$fiber->start();
$between = opa_start_span('between');
$fiber->resume('first');
$fiber->resume('second');
opa_end_span($between);
$tags = opa_test_span('in fiber')['tags'];
show('tags', strlen($tags['a']), $tags['b'], $tags['later']);

// Destroyed while it is suspended in there.
foreach (['opa_start_span', 'opa_add_tag', 'opa_add_event', 'opa_trace'] as $function) {
	$open = opa_start_span("for $function");
	$fiber = new Fiber(function () use ($function, $open): void {
		$big = ['x' => str_repeat('x', 5000), 'y' => [1, new Suspends(), 2]];
		try {
			match ($function) {
				'opa_start_span' => opa_start_span('never', $big),
				'opa_add_tag' => opa_add_tag($open, 'never', $big),
				'opa_add_event' => opa_add_event($open, str_repeat('n', 1000), $big),
				'opa_trace' => opa_trace('never', fn () => print("called\n"), $big),
			};
			echo "went on\n";
		} finally {
			echo "unwound\n";
		}
	});
	$fiber->start();
	$fiber = null;
	gc_collect_cycles();
	show($function, opa_end_span($open), opa_test_span("for $function")['tags']);
}
show('spans', count(opa_test_spans()));
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
set true true
tags 4000 ["first","c"] "second"
unwound
opa_start_span true []
unwound
opa_add_tag true []
unwound
opa_add_event true []
unwound
opa_trace true []
spans 6
