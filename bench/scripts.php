<?php

declare(strict_types=1);

/*
 * Whether opa, and a collector that is ill, can be felt in short scripts that run many at once: from the
 * start of each to its end. `./dev bench scripts [scripts of each]`.
 *
 * Each state has a spool and an exporter of its own; they take turns, in rounds of random order, a dozen
 * scripts at once.
 */

use Opa\Tests\Daemon;
use Opa\Tests\Processes;
use Opa\Tests\Site;

require dirname(__DIR__) . '/tests/e2e/bootstrap.php';

const AT_ONCE = 12;
const STATES = ['no opa', 'local store', 'up', 'refused', 'hangs'];

$scripts = (int) ($argv[1] ?? 480);
$directory = sys_get_temp_dir() . '/opa-bench-' . bin2hex(random_bytes(6));
mkdir($directory, 0700);
file_put_contents("$directory/script.php", '<?php if (function_exists("opa_start_span")) {
	for ($i = 0; $i < 10; $i++) { opa_end_span(opa_start_span("work")); } }');
$modules = Site::builtModules();
$options = $daemons = $times = [];
foreach (STATES as $i => $state) {
	$options[$state] = $state === 'no opa' ? [] : ['-d', "extension=$modules/opa.so", '-d', "opa.spool_dir=$directory/spool$i",
		'-d', "opa.store_path=$directory/$i.db", '-d', 'opa.linger=200ms'];
	if (!in_array($state, ['no opa', 'local store'], true)) {
		$port = Site::freePort();
		array_push($options[$state], '-d', "opa.endpoint=http://127.0.0.1:$port");
		if ($state !== 'refused') {
			$daemons[] = new Daemon([PHP_BINARY, '-n', __DIR__ . '/collector.php', '--collector', (string) $port, $state], [],
				"$directory/collector$i.log");
		}
	}
}
for ($round = 0; $round <= intdiv($scripts, AT_ONCE); $round++) {
	$states = STATES;
	shuffle($states);
	foreach ($states as $state) {
		$found = run([PHP_BINARY, '-n', ...$options[$state], "$directory/script.php"]);
		// The first round warms up.
		$times[$state] = $round === 0 ? [] : [...$times[$state], ...$found];
	}
}
printf("%-12s %8s %8s %8s %8s\n", 'collector', 'p50 ms', 'p95 ms', 'p99 ms', 'max ms');
foreach (STATES as $state) {
	sort($times[$state]);
	$at = static fn (float $q): float => $times[$state][(int) min(count($times[$state]) - 1, $q * count($times[$state]))];
	printf("%-12s %8.2f %8.2f %8.2f %8.2f\n", $state, $at(0.5), $at(0.95), $at(0.99), $at(1));
}
foreach ($daemons as $daemon) {
	$daemon->stop();
}
Site::remove($directory);
for ($i = 0; $i < 1000 && Processes::exporters($directory) !== []; $i++) {
	usleep(10_000);
}

/**
 * As many at once: each has ended when its standard output has.
 * @param list<string> $command
 * @return list<float> milliseconds of each
 */
function run(array $command): array
{
	$running = $started = $pipes = $times = [];
	for ($i = 0; $i < AT_ONCE; $i++) {
		$started[$i] = hrtime(true);
		$running[$i] = proc_open($command, [['file', '/dev/null', 'r'], ['pipe', 'w']], $pipe);
		$pipes[$i] = $pipe[1];
	}
	while ($pipes !== []) {
		$ready = $pipes;
		$none = null;
		stream_select($ready, $none, $none, 60);
		foreach ($ready as $i => $pipe) {
			if (fread($pipe, 8192) === '' && feof($pipe)) {
				$times[] = (hrtime(true) - $started[$i]) / 1e6;
				fclose($pipe);
				unset($pipes[$i]);
			}
		}
	}
	array_map(proc_close(...), $running);
	return $times;
}
