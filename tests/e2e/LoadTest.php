<?php

declare(strict_types=1);

namespace Opa\Tests;

/** Pools of two users under load, while the servers are reloaded and workers are killed. */
final class LoadTest extends ServerTestCase
{
	private const CONCURRENCY = 16;
	private const STUCK = 4;
	private const OVER_TIME = 6;

	/** Page => how often among 100, spans of its trace, the root's included. */
	private const PAGES = [
		'plain' => [14, 4], 'nested' => [9, 11], 'uncaught' => [5, 2], 'caught' => [5, 2], 'fatal' => [4, 2],
		'exit' => [6, 4], 'fiber' => [6, 4], 'fiber_exit' => [4, 3], 'session' => [6, 3], 'shutdown' => [5, 4],
		'destructor' => [4, 5], 'memory' => [2, 6], 'disable' => [5, 3], 'thousand' => [1, 1001], 'tags' => [2, 2],
		'garbage' => [3, 2], 'kept' => [4, 3], 'slow' => [1, 2], 'output' => [2, 3], 'generator' => [2, 3],
		'flush' => [1, 3], 'finish' => [1, 4], 'handler' => [2, 7], 'ini' => [1, 3], 'fork' => [1, 4],
		'tostring_exit' => [2, 2], 'tostring_fiber' => [1, 5], 'preloaded' => [1, 2],
		// A second of CPU time each.
		'timelimit' => [0, 2],
	];
	/** Those that answer with a status other than 200. */
	private const FAIL = ['uncaught' => 500, 'fatal' => 500, 'memory' => 500, 'timelimit' => 500];

	private int $requests;
	private Site $site;
	/** @var list<Pool> the last one has time for what takes long */
	private array $pools;
	/** @var array<string, array{Pool, string}> by marker */
	private array $sent = [];
	/** @var array<string, true> those that were answered */
	private array $answered = [];
	/** @var list<string> what was wrong with an answer */
	private array $wrong = [];
	private int $kills = 0;

	protected function setUp(): void
	{
		self::needRoot();
		// One spool in memory, where files are mapped, and one on a disk.
		$this->pools = [new Pool('memory'), new Pool('disk', 'nobody'), new Pool('slow')];
		$this->site = $this->site(...$this->pools);
		foreach ($this->pools as $i => $pool) {
			$pool->directives = ['pm' => ['dynamic', 'dynamic', 'ondemand'][$i], 'pm.max_children' => '6', 'pm.start_servers' => '2',
				'pm.min_spare_servers' => '1', 'pm.max_spare_servers' => '3',
				'pm.max_requests' => ['200', '50', '4'][$i], 'request_terminate_timeout' => ['5s', '5s', '0'][$i]];
			$pool->settings = ['opa.service_name' => $pool->name, 'opa.spool_max_size' => '1G'];
		}
		$this->site->moveSpoolIntoMemory($this->pools[0]);
		// What still runs may end before a reload or a stop goes on to the next signal.
		$this->site->global = ['process_control_timeout' => '20s'];
	}

	/** @return array<string, array{int, array<string, string>}> how many requests, and what php.ini has */
	public function opcaches(): array
	{
		return [
			'opcache and preloading' => [20_000, ['opcache.preload' => 'PAGES/preload.php',
				'opcache.preload_user' => 'www-data', 'opa.spool_dir' => 'PAGES/preloading']],
			'no opcache' => [5_000, ['opcache.enable' => '0']],
			'jit' => [5_000, ['opcache.jit' => 'tracing', 'opcache.jit_buffer_size' => '32M']],
		];
	}

	/**
	 * @dataProvider opcaches
	 * @param array<string, string> $ini
	 */
	public function testEveryAnsweredRequestHasItsTraceOnceAndNoWorkerDiesByItself(int $requests, array $ini): void
	{
		$this->requests = $requests;
		$this->site->ini = str_replace('PAGES', $this->site->pages(), $ini);
		$this->site->start();
		$this->load();
		$stuck = fn (): bool => substr_count($this->site->fpmLog(), 'exited on signal ' . SIGTERM) >= self::STUCK;
		self::await($stuck, 'FPM has seen the end of those that it has terminated');
		$this->site->fpm->stop(SIGQUIT);
		foreach ($this->pools as $pool) {
			self::await(static fn (): bool => $pool->journals() === 0, "$pool->spool is brought in", 60);
		}

		self::assertSame([], $this->wrong);
		$this->assertNoWorkerDied();
		$this->assertTraces();
		$this->assertNothingWasDropped();
	}

	/** The pages in an order that looks like chance and is the same each time. */
	private function plan(): \Generator
	{
		$deck = [];
		foreach (self::PAGES as $page => [$weight]) {
			$deck = [...$deck, ...array_fill(0, $weight, $page)];
		}
		mt_srand(20_000);
		$events = $this->events();
		for ($i = 0; $i < $this->requests; $i++) {
			if (isset($events[$i])) {
				$this->{$events[$i]}();
			}
			yield from $this->request($this->pools[$i % 2], $deck[mt_rand(0, count($deck) - 1)]);
			if (($i + 1) % intdiv($this->requests, self::OVER_TIME) === 0) {
				yield from $this->request($this->pools[2], 'timelimit');
			}
		}
		for ($i = 0; $i < self::STUCK; $i++) {
			yield from $this->request($this->pools[$i % 2], 'stuck');
		}
	}

	private function request(Pool $pool, string $page): \Generator
	{
		$marker = self::marker();
		$this->sent[$marker] = [$pool, $page];
		yield $marker => $pool->url($page, "m=$marker");
	}

	/** @return array<int, string> after how many requests what happens */
	private function events(): array
	{
		$events = [];
		foreach ([15, 35, 55, 75] as $percent) {
			$events[intdiv($this->requests * $percent, 100)] = 'reload';
		}
		foreach ([10, 25, 28, 45, 65, 68, 85, 90] as $percent) {
			$events[intdiv($this->requests * $percent, 100)] = 'killWorker';
		}
		return $events;
	}

	private function reload(): void
	{
		$this->site->fpm->signal(SIGUSR2);
	}

	private function killWorker(): void
	{
		$workers = $this->site->workers();
		if ($workers !== [] && min($workers) > 1 && posix_kill($workers[array_rand($workers)], SIGKILL)) {
			$this->kills++;
		}
	}

	private function load(): void
	{
		$this->answered = [];
		(new Client(self::CONCURRENCY))->run($this->plan(), function (string $marker, Answer $answer): void {
			[, $page] = $this->sent[$marker];
			// nginx ends an answer that a dying worker has only begun as if it were whole.
			if (!$answer->isComplete() || (!isset(self::FAIL[$page]) && $answer->body === '')) {
				return;
			}
			$this->answered[$marker] = true;
			if ($answer->headers['x-marker'] !== $marker || $answer->status !== (self::FAIL[$page] ?? 200)
				|| (!isset(self::FAIL[$page]) && $answer->body !== $page)) {
				$this->wrong[] = "$page: status $answer->status, " . substr($answer->body, 0, 200);
			}
		});
	}

	private function assertNoWorkerDied(): void
	{
		$log = $this->site->fpmLog();
		preg_match_all('/exited on signal (\d+)/', $log, $deaths);
		$counts = array_count_values($deaths[1]);
		ksort($counts);
		self::assertSame([SIGKILL => $this->kills, SIGTERM => self::STUCK], $counts, 'deaths by signal');
		self::assertSame(self::STUCK, substr_count($log, 'execution timed out'));
		self::assertSame(4, substr_count($log, 'Reloading in progress'), 'reloads');
		self::assertStringNotContainsString('AddressSanitizer', implode('', array_map('file_get_contents',
			glob("{$this->site->directory}/tmp/asan*"))));
	}

	private function assertTraces(): void
	{
		$bad = [];
		$missing = 0;
		$lost = array_fill_keys(array_keys(array_diff_key($this->sent, $this->answered)), true);
		foreach ($this->pools as $pool) {
			$found = $pool->store()->markers();
			foreach ($this->pools as $other) {
				self::assertSame([], $other === $pool ? [] : array_intersect_key($other->store()->markers(), $found));
			}
			foreach ($this->sent as $marker => [$of, $page]) {
				if ($of !== $pool) {
					continue;
				}
				$traces = $found[$marker] ?? [];
				$missing += $traces === [];
				$isWhole = $this->isWhole($page, $traces);
				// After fastcgi_finish_request() a worker may die between its answer and its trace.
				if ($traces !== [] ? !$isWhole : !isset($lost[$marker]) && $page !== 'finish') {
					$bad[] = "$page $marker: " . json_encode($traces);
				}
			}
			self::assertSame([], array_slice(array_diff_key($found, $this->sent), 0, 5));
		}
		self::assertSame([], array_slice($bad, 0, 10), count($bad) . ' traces are missing, twice there or not whole');
		self::assertLessThanOrEqual($this->kills + self::STUCK, count($lost), 'requests without an answer');
		self::assertLessThanOrEqual($this->kills + self::STUCK, $missing, 'requests without a trace');
		self::assertGreaterThanOrEqual(self::STUCK, $missing);
	}

	/** @param list<array<string, int>> $traces */
	private function isWhole(string $page, array $traces): bool
	{
		$spans = self::PAGES[$page][1] ?? 0;
		return $traces === [['spans' => $spans, 'rows' => $spans, 'complete' => 1, 'foreign' => 0]];
	}

	private function assertNothingWasDropped(): void
	{
		foreach ($this->pools as $pool) {
			$counters = array_column($pool->store()->rows('SELECT name, value FROM counters'), 'value', 'name');
			$kept = $counters['spans_kept'];
			$rows = $pool->store()->value('SELECT count(*) FROM spans');
			$dropped = array_filter($counters, static fn (string $name): bool
				=> str_starts_with($name, 'spans_dropped') || str_starts_with($name, 'refused')
				|| in_array($name, ['journals_lost', 'exporter_bytes_skipped', 'exporter_spans_undecodable',
					'exporter_failed', 'store_traces_pruned'], true), ARRAY_FILTER_USE_KEY);
			self::assertSame([], array_filter($dropped), $pool->name);
			self::assertEqualsWithDelta($rows, $kept, 1001 * $this->kills, "$pool->name: spans counted as kept");
		}
	}
}
