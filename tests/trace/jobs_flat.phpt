--TEST--
A hundred thousand jobs leave memory as they found it, and each is stored or counted
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/jobs_flat.spool
opa.exporter_path=/nonexistent/opa-exporter
opa.spool_max_size=8M
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

function memory(): int
{
	preg_match('/^VmRSS:\s+(\d+)/m', file_get_contents('/proc/self/status'), $m);
	return (int) $m[1] * 1024;
}

function rounds(int $count, int $from = 0): void
{
	for ($i = $from; $i < $from + $count; $i++) {
		$job = opa_start_trace('job', ['number' => $i], ['traceparent' => sprintf('00-%032x-b7ad6b7169203331-0%d', $i + 1, $i % 10 ? 1 : 0), 'baggage' => "n=$i"]);
		$span = opa_start_span('work');
		opa_add_tag($span, 'k', 'v');
		opa_end_span($span);
		opa_end_trace($job);
	}
}

$all = getenv('OPA_TEST_SLOW') || getenv('SKIP_ASAN') ? 3000 : 100000;
rounds(1000);
$php = memory_get_usage();
$memory = memory();
rounds($all - 1000, 1000);
show('php', memory_get_usage() - $php < 10000);
show('process', getenv('SKIP_ASAN') || memory() - $memory < 1 << 20);
$c = opa_status()['counters'];
$dropped = array_sum(array_filter($c, static fn (string $k): bool => str_starts_with($k, 'spans_dropped_'), ARRAY_FILTER_USE_KEY));
show('counted', $c['traces_sampled_out'] === $all / 10, $c['traces_started'] === $all / 10 * 9, $c['spans_kept'] + $dropped === $all / 10 * 18, $c['spans_unfinished'], opa_status()['open_spans']);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
php true
process true
counted true true true 0 1
