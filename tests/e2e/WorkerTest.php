<?php

declare(strict_types=1);

namespace Opa\Tests;

use PHPUnit\Framework\TestCase;

/** A queue worker on the command line: each job is a trace of its own, in one long-running program. */
final class WorkerTest extends TestCase
{
	private string $directory;
	/** @var list<resource> */
	private array $processes = [];

	protected function setUp(): void
	{
		$this->directory = (is_writable('/dev/shm') ? '/dev/shm' : sys_get_temp_dir()) . '/opa-worker-' . bin2hex(random_bytes(6));
		mkdir($this->directory, 0700);
	}

	protected function tearDown(): void
	{
		foreach ($this->processes as $process) {
			proc_terminate($process, SIGKILL);
			proc_close($process);
		}
		Site::remove($this->directory);
		for ($i = 0; $i < 1000 && Processes::exporters($this->directory) !== []; $i++) {
			usleep(10_000);
		}
	}

	/**
	 * Starts a worker; what it says stands in <directory>/said.
	 * @param array<string, string> $settings
	 * @return resource
	 */
	private function worker(string $code, array $settings = [])
	{
		file_put_contents("$this->directory/worker.php", "<?php\n$code");
		$command = [PHP_BINARY, '-n', '-d', 'extension=' . Site::builtModules() . '/opa.so'];
		$settings += ['opa.spool_dir' => "$this->directory/spool", 'opa.store_path' => "$this->directory/store.db"];
		foreach ($settings as $name => $value) {
			array_push($command, '-d', "$name=$value");
		}
		$said = ['file', "$this->directory/said", 'a'];
		$process = proc_open([...$command, "$this->directory/worker.php"], [['pipe', 'r'], $said, $said], $pipes);
		return $this->processes[] = $process;
	}

	private function said(): string
	{
		return (string) @file_get_contents("$this->directory/said");
	}

	private function await(callable $condition, string $what, float $seconds): void
	{
		for ($end = hrtime(true) + $seconds * 1e9; !$condition(); usleep(20_000)) {
			self::assertLessThan($end, hrtime(true), "did not happen within $seconds s: $what; " . $this->said());
		}
	}

	public function testAJobIsInTheStoreWhileItsWorkerGoesOn(): void
	{
		$worker = $this->worker(<<<'PHP'
			$job = opa_start_trace('send mail', ['queue' => 'mail'], ['traceparent' => '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01']);
			opa_trace('render', fn () => usleep(1000));
			echo json_encode(opa_end_trace($job)), "\n";
			fgets(STDIN);
			PHP);
		$store = new StoreView("$this->directory/store.db");
		$rows = [];
		$this->await(static function () use ($store, &$rows): bool {
			$rows = $store->rows('SELECT s.name, s.kind, hex(s.parent_id) AS parent, t.complete FROM spans s JOIN traces t USING (trace_id)
				ORDER BY s.start_ns');
			return count($rows) === 2;
		}, 'both spans of the job are in the store', 20);

		self::assertSame("true\n", $this->said());
		self::assertTrue(proc_get_status($worker)['running']);
		self::assertSame(['send mail', 'render'], array_column($rows, 'name'));
		self::assertSame([5, 1], array_map('intval', [$rows[0]['kind'], $rows[0]['complete']]));
	}

	public function testAMillionJobsAtFlatMemoryEachStoredOrCounted(): void
	{
		$jobs = 1_000_000;
		$this->worker(<<<PHP
			function memory(): int
			{
				preg_match('/^VmRSS:\\s+(\\d+)/m', file_get_contents('/proc/self/status'), \$m);
				return (int) \$m[1];
			}
			for (\$i = 1; \$i <= $jobs; \$i++) {
				\$job = opa_start_trace('job', ['number' => \$i], ['traceparent' => sprintf('00-%032x-b7ad6b7169203331-01', \$i), 'baggage' => "n=\$i"]);
				opa_end_span(opa_start_span('work'));
				opa_end_trace(\$job);
				if (\$i === 1000) {
					\$before = memory();
				}
			}
			\$grown = memory() - \$before;
			echo json_encode(['grown' => \$grown] + opa_status()['counters']), "\n";
			PHP, ['opa.trace_rotate' => '0', 'opa.spool_max_size' => '256M']);
		$this->await(fn (): bool => str_ends_with($this->said(), "\n"), 'the worker has ended', 300);
		$said = json_decode($this->said(), true, 512, JSON_THROW_ON_ERROR);

		self::assertLessThanOrEqual(1024, $said['grown'], 'KiB from the 1,000th job to the last');
		self::assertSame($jobs, $said['traces_started']);
		$dropped = array_sum(array_filter($said, static fn (string $k): bool => str_starts_with($k, 'spans_dropped_'), ARRAY_FILTER_USE_KEY));
		self::assertSame(2 * $jobs, $said['spans_kept'] + $dropped);
		self::assertSame($said['traces_kept'] * 2, $said['spans_kept']);
		self::assertSame(0, $said['spans_unfinished']);
	}
}
