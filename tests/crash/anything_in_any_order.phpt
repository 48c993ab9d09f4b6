--TEST--
Whatever a program does with opa's functions, in whatever order and from wherever: it ends as it would, and each span is there, or counted
--EXTENSIONS--
opa
--INI--
opa.spool_dir={PWD}/anything_in_any_order.spool
opa.exporter_path=/nonexistent/opa-exporter
--FILE--
<?php
require __DIR__ . '/../utils/trace.inc';

/** The counters that a process has left, by name. */
function counters(string $spool): array
{
	[$file] = glob("$spool/control/*.c");
	$names = array_keys(opa_status()['counters']);
	return array_combine($names, unpack('P' . count($names), file_get_contents($file), 48));
}

$code = file_get_contents(__DIR__ . '/../utils/anything.php');
$started = 0;
for ($seed = 1; $seed <= 12; $seed++) {
	$run = opa_test_run($code, ['args' => "$seed 400", 'ini' => ['memory_limit' => '1G']]);
	$counters = counters($run['spool']);
	$dropped = array_sum(array_filter(
		$counters,
		static fn (string $name): bool => str_starts_with($name, 'spans_dropped'),
		ARRAY_FILTER_USE_KEY
	));
	if ($run['signal'] !== 0 || !in_array($run['exit'], [0, 255], true)
		|| $counters['spans_kept'] !== count($run['spans'])
		|| $counters['spans_started'] !== $counters['spans_kept'] + $dropped) {
		show("seed $seed", $run['signal'], $run['exit'], count($run['spans']), array_filter($counters));
		echo substr($run['out'], -2000), "\n";
	}
	$started += $counters['spans_started'];
}
show('enough was done', $started > 500);
?>
--CLEAN--
<?php
require __DIR__ . '/../utils/trace.inc';
opa_test_clean(__FILE__);
?>
--EXPECT--
enough was done true
