--TEST--
Ten thousand requests of a worker leave memory as they found it
--EXTENSIONS--
opa
--SKIPIF--
<?php
require __DIR__ . '/../utils/extension.inc';
opa_test_extension_missing() === null || die('skip ' . opa_test_extension_missing());
?>
--INI--
opa.spool_dir={PWD}/flat.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';
require __DIR__ . '/../utils/worker.inc';

$all = getenv('OPA_TEST_SLOW') || getenv('SKIP_ASAN') ? 1000 : 10000;
$run = opa_test_worker(<<<'PHP'
<?php
function memory(): int
{
	preg_match('/^VmRSS:\s+(\d+)/m', file_get_contents('/proc/self/status'), $m);
	return (int) $m[1] * 1024;
}
$count = 0;
$fiber = new Fiber(function (): void {
	for (;;) {
		opa_end_span(opa_start_span('in a fiber of the worker'));
		Fiber::suspend();
	}
});
$fiber->start();
$handler = function () use (&$count, $fiber): void {
	$count++;
	$span = opa_start_span('work', ['n' => $count]);
	opa_start_span('left open');
	opa_start_trace('left open, too', [], ['baggage' => "n=$count"]);
	opa_record_exception($span, new Exception("of $count"));
	$fiber->resume();
	(new Fiber(fn () => opa_start_span('of a fiber')))->start();
};
while (frankenphp_handle_request($handler)) {
	if ($count === 500) {
		$php = memory_get_usage();
		$memory = memory();
	}
}
$c = opa_status()['counters'];
$dropped = array_sum(array_filter($c, static fn (string $k): bool => str_starts_with($k, 'spans_dropped_'), ARRAY_FILTER_USE_KEY));
echo json_encode([$count, memory_get_usage() - $php < 10000, memory() - $memory < 1 << 20 || getenv('SKIP_ASAN'),
	$c['traces_started'] - 2 * $count, $c['spans_started'] - 6 * $count, $c['spans_started'] - $c['spans_kept'] - $dropped,
	opa_status()['open_spans']]), "\n";
PHP, ["$all GET /"], ['ini' => ['opa.spool_max_size' => '1M', 'memory_limit' => '128M']]);
show('exit', $run['exit'], $run['signal']);
echo str_replace("[$all,", '[all,', strstr($run['out'], '[') ?: $run['out']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
exit 0 0
[all,true,true,1,2,0,0]
