--TEST--
Each fiber is in a trace of its own, and a new one in that of its starter
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/fiber.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

$root = opa_root_span();
$fibers = [];
foreach (['a', 'b', 'c'] as $name) {
	$fibers[$name] = new Fiber(function () use ($name): void {
		$job = opa_start_trace($name);
		$trace = opa_trace_id();
		for ($i = 0; $i < 3; $i++) {
			$span = opa_start_span("$name $i");
			Fiber::suspend();
			if (opa_root_span() !== $job || opa_trace_id() !== $trace || opa_current_span() !== $span || !opa_end_span($span)) {
				echo "mixed up in $name\n";
			}
			$below = new Fiber(function () use ($job, $trace, $name): void {
				if (opa_root_span() !== $job || !opa_end_span(opa_start_span("$name below"))) {
					echo "not inherited in $name\n";
				}
			});
			$below->start();
		}
		show("end $name", opa_end_trace($job), opa_root_span() !== $job);
	});
	$fibers[$name]->start();
	show('main', opa_root_span() === $root, opa_current_span() === $root);
}
for ($i = 0; $i < 3; $i++) {
	foreach (['b', 'c', 'a'] as $name) {
		$fibers[$name]->resume();
		opa_end_span(opa_start_span('main'));
	}
}
$traces = [];
foreach (opa_test_spans() as $span) {
	$traces[$span['trace']][] = $span['name'];
}
array_walk($traces, static function (array &$names): void {
	sort($names);
});
sort($traces);
array_map(static fn (array $names) => show('trace', $names), $traces);

// Started in one fiber, ended in another; a fiber that is destroyed leaves its trace to its id.
$fiber = new Fiber(function (): void {
	Fiber::suspend(opa_start_trace('passed on'));
	show('after its end', opa_root_span() === $GLOBALS['root']);
	Fiber::suspend(opa_start_trace('left'));
});
$job = $fiber->start();
show('elsewhere', opa_end_trace($job));
$left = $fiber->resume();
unset($fiber);
gc_collect_cycles();
show('destroyed', opa_end_trace($left), opa_end_trace($left), opa_root_span() === $root);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
main true true
main true true
main true true
end b true true
end c true true
end a true true
trace ["a","a 0","a 1","a 2","a below","a below","a below"]
trace ["b","b 0","b 1","b 2","b below","b below","b below"]
trace ["c","c 0","c 1","c 2","c below","c below","c below"]
trace ["main","main","main","main","main","main","main","main","main"]
elsewhere true
after its end true
destroyed true false true
