<?php

declare(strict_types=1);

/*
 * Whether a collector can be felt in a request: times of requests through nginx and PHP-FPM while the
 * collector is well, away, or ill, side by side. `./dev bench collector [requests of each]`.
 *
 * Each state has a pool, a spool and an exporter of its own; they take turns, in rounds of random order.
 */

use Opa\Tests\Client;
use Opa\Tests\Daemon;
use Opa\Tests\Pool;
use Opa\Tests\Site;

require dirname(__DIR__) . '/tests/e2e/bootstrap.php';

const ROUNDS = 10;
const STATES = ['no opa', 'local store', 'up', 'refused', 'hangs', '503', '429', '400', 'breaks', '5 MiB', 'no name'];

if (($argv[1] ?? '') === '--collector') {
	serve((int) $argv[2], $argv[3]);
}
$requests = (int) ($argv[1] ?? 2000);
$pools = $daemons = [];
foreach (STATES as $i => $state) {
	$pools[$state] = $pool = new Pool("p$i");
	$pool->settings = ['opa.linger' => '200ms'];
	if ($state === 'no opa') {
		$pool->settings['opa.enabled'] = '0';
	} elseif ($state === 'no name') {
		$pool->settings['opa.endpoint'] = 'http://collector.invalid:4318';
	} elseif ($state !== 'local store') {
		$port = Site::freePort();
		$pool->settings['opa.endpoint'] = "http://127.0.0.1:$port";
		if ($state !== 'refused') {
			$log = tempnam(sys_get_temp_dir(), 'opa-bench');
			$daemons[$log] = new Daemon([PHP_BINARY, '-n', __FILE__, '--collector', (string) $port, $state], [], $log);
		}
	}
}
$site = new Site(...array_values($pools));
$site->start();
$times = array_fill_keys(STATES, []);
for ($round = 0; $round <= ROUNDS; $round++) {
	$states = STATES;
	shuffle($states);
	foreach ($states as $state) {
		$found = measure($pools[$state]->url('nested', 'm=bench'), intdiv($requests, ROUNDS));
		// The first round warms up.
		$times[$state] = $round === 0 ? [] : [...$times[$state], ...$found];
	}
}
printf("%-12s %8s %8s %8s %8s   %s\n", 'collector', 'p50 ms', 'p95 ms', 'p99 ms', 'max ms', 'what the exporter says');
foreach ($times as $state => $of) {
	sort($of);
	$at = static fn (float $q): float => $of[(int) min(count($of) - 1, $q * count($of))];
	printf("%-12s %8.2f %8.2f %8.2f %8.2f   %s\n", $state, $at(0.5), $at(0.95), $at(0.99), $at(1),
		preg_replace('/^\S+: /', '', $pools[$state]->state()['last_error'] ?? ''));
}
$site->stop();
foreach ($daemons as $log => $daemon) {
	$daemon->stop();
	unlink($log);
}

/** @return list<float> milliseconds */
function measure(string $url, int $requests): array
{
	$handle = curl_init($url);
	curl_setopt($handle, CURLOPT_RETURNTRANSFER, true);
	$times = [];
	for ($i = 0; $i < $requests; $i++) {
		if (curl_exec($handle) !== 'nested') {
			throw new RuntimeException("$url: " . curl_error($handle));
		}
		$times[] = 1000 * curl_getinfo($handle, CURLINFO_TOTAL_TIME);
	}
	return $times;
}

/** A collector that is in that state, as long as it is let. */
function serve(int $port, string $state): never
{
	$answer = match ($state) {
		'5 MiB' => "200 OK\r\nContent-Length: " . (5 << 20) . "\r\n\r\n" . str_repeat("\0", 5 << 20),
		'429' => "429 Too Many Requests\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n",
		'up' => "200 OK\r\nContent-Length: 0\r\n\r\n",
		default => "$state State\r\nContent-Length: 0\r\n\r\n",
	};
	$server = stream_socket_server("tcp://127.0.0.1:$port");
	for ($open = [];;) {
		$ready = [$server, ...array_column($open, 0)];
		$none = null;
		stream_select($ready, $none, $none, null);
		foreach ($ready as $socket) {
			if ($socket === $server) {
				$new = stream_socket_accept($server);
				stream_set_blocking($new, false);
				$open[(int) $new] = [$new, ''];
				continue;
			}
			$open[(int) $socket][1] .= fread($socket, 1 << 20);
			$text = $open[(int) $socket][1];
			$whole = preg_match('/\r\nContent-Length: (\d+).*?\r\n\r\n/is', $text, $m, PREG_OFFSET_CAPTURE)
				&& strlen($text) >= $m[0][1] + strlen($m[0][0]) + (int) $m[1][0];
			if ($whole && $state !== 'hangs' && $state !== 'breaks') {
				stream_set_blocking($socket, true);
				@fwrite($socket, "HTTP/1.1 $answer");
				stream_set_blocking($socket, false);
				$open[(int) $socket][1] = '';
			}
			if (feof($socket) || ($whole && $state === 'breaks')) {
				fclose($socket);
				unset($open[(int) $socket]);
			}
		}
	}
}
