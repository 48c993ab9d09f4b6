<?php

declare(strict_types=1);

namespace Opa\Tests;

/** Many workers, reloads, containers: what a real OpenTelemetry Collector gets of them. */
final class CollectorFleetTest extends CollectorTestCase
{
	private const MEMORY = 96 << 20;
	private ?string $group = null;

	protected function tearDown(): void
	{
		parent::tearDown();
		if ($this->group !== null) {
			self::await(fn (): bool => @rmdir($this->group), 'the group is empty');
			$this->group = null;
		}
	}

	public function testTwoHundredWorkersHaveOneConnection(): void
	{
		$collector = $this->collector();
		[$site, $pool] = $this->sendingTo($collector, ['pm.max_children' => '200'], ['opa.linger' => '20ms']);
		$urls = $pids = [];
		for ($i = 0; $i < 1000; $i++) {
			$urls[$marker = self::marker()] = $pool->url('slow', "m=$marker");
		}
		$most = 0;
		(new Client(220))->run($urls, static function (string $marker, Answer $answer) use (&$most, &$pids, $collector): void {
			self::assertTrue($answer->isComplete());
			$pids[$answer->pid()] = true;
			$most = max($most, self::connectionsTo($collector->port));
		});
		self::assertCount(200, $pids);
		self::await(static fn (): bool => array_diff_key($urls, $collector->markers()) === [], 'all arrive', 30);
		self::assertSame([1], array_values(array_unique(array_intersect_key($collector->markers(), $urls))));
		self::assertSame(1, $most);
		self::assertCount(1, Processes::exporters($site->directory));
	}

	/** Reloads and last requests meanwhile, and SIGQUIT at the end: workers that finish what they do. */
	public function testWorkersThatComeAndGoLeaveNothingBehind(): void
	{
		$collector = $this->collector();
		$pool = new Pool('www');
		$pool->directives = ['pm' => 'static', 'pm.max_children' => '4', 'pm.max_requests' => '13'];
		$pool->settings = ['opa.endpoint' => $collector->url(), 'opa.linger' => '2s'];
		$site = $this->site($pool);
		$site->global['process_control_timeout'] = '10s';
		$site->start();
		$urls = $answered = [];
		for ($i = 0; $i < 600; $i++) {
			$urls[$marker = self::marker()] = $pool->url('nested', "m=$marker");
		}
		(new Client(8))->run($urls, static function (string $marker, Answer $answer) use (&$answered, $site): void {
			if ($answer->isComplete()) {
				$answered[$marker] = 1;
			}
			if (in_array(count($answered), [150, 300, 450], true)) {
				$site->fpm->signal(SIGUSR2);
			}
		});
		self::assertGreaterThan(500, count($answered));
		self::assertSame(3, substr_count($site->fpmLog(), 'Reloading in progress'));
		$site->stopFpm(SIGQUIT);

		self::await(static fn (): bool => $pool->journals() === 0, 'the journals are gone', 20);
		self::await(static fn (): bool => array_diff_key($answered, $collector->markers()) === [], 'all arrive');
		self::assertSame([1], array_values(array_unique($collector->markers())), 'each once');
	}

	/** What a container has: FPM is process 1, /dev/shm has 64 MiB, and there is a limit of memory. */
	public function testAnOutageInAContainerKillsNobody(): void
	{
		self::needRoot();
		$group = $this->memoryGroup(self::MEMORY);
		$collector = $this->collector();
		$collector->stop();
		$pool = new Pool('www');
		$pool->directives = ['pm' => 'static', 'pm.max_children' => '6'];
		$pool->settings = ['opa.endpoint' => $collector->url(), 'opa.linger' => '100ms'];
		$site = $this->site($pool);
		$pool->spool = '';
		$enter = "echo $$ > $group/cgroup.procs && exec unshare --pid --fork --mount-proc --kill-child=SIGKILL"
			. ' sh -c \'mount -t tmpfs -o size=64m,mode=1777 tmpfs /dev/shm && exec "$@"\' sh "$@"';
		$site->wrapper = ['sh', '-c', $enter, 'sh'];
		$site->start();
		$fpm = Processes::children($site->fpm->pid)[0];
		$spool = "/proc/$fpm/root/dev/shm/opa-" . posix_getpwnam('www-data')['uid'];

		$largest = 0;
		$requests = $this->outage($pool, static function () use ($spool, &$largest): void {
			$largest = max($largest, self::bytesBelow($spool));
		});
		self::assertSame(0, self::oomKills($group));
		self::assertStringNotContainsString('exited on signal', $site->fpmLog());
		$limit = intdiv(self::MEMORY, 20);
		self::assertGreaterThan($limit / 2, $largest, 'the spool was filled');
		self::assertLessThan($limit + (1 << 20), $largest, 'and kept within its bound');

		$collector->start();
		$counters = self::counters($spool);
		self::assertSame(count($requests), $counters['traces_started']);
		self::assertLessThan(count($requests), $counters['traces_kept'], 'it was more than the spool holds');
		self::await(static fn (): bool => count(array_intersect_key($collector->markers(), $requests))
			>= $counters['traces_kept'], 'all that was kept is sent', 60);
		self::assertCount($counters['traces_kept'], array_intersect_key($collector->markers(), $requests));
		self::assertGreaterThan(0, $counters['spans_dropped_spool_full']);
		self::assertSame(0, self::oomKills($group));
	}

	/** Requests large and small. @return array<string, string> marker => URL */
	private function outage(Pool $pool, callable $now): array
	{
		$urls = [];
		for ($i = 0; $i < 3000; $i++) {
			$page = $i % 20 === 0 ? 'thousand' : 'nested';
			$urls[$marker = self::marker()] = $pool->url($page, "m=$marker");
		}
		(new Client(8))->run($urls, static function (string $marker, Answer $answer) use ($now): void {
			self::assertTrue($answer->isComplete(), $marker);
			$now();
		});
		return $urls;
	}

	private static function bytesBelow(string $spool): int
	{
		$blocks = 0;
		foreach (glob("$spool/{live,sealed,control}/*", GLOB_BRACE) as $file) {
			$blocks += (@stat($file) ?: ['blocks' => 0])['blocks'];
		}
		return 512 * $blocks;
	}

	/** The sum of all processes. PHP would follow /proc/<pid>/root. @return array<string, int> */
	private static function counters(string $spool): array
	{
		$files = str_split((string) shell_exec('cat ' . escapeshellarg($spool) . '/control/*.c'), 4096);
		$sum = [];
		foreach (['traces_started' => 0, 'traces_kept' => 1, 'spans_dropped_spool_full' => 5] as $name => $number) {
			$sum[$name] = array_sum(array_map(static fn (string $file): int => unpack('q', $file, 48 + 8 * $number)[1], $files));
		}
		return $sum;
	}

	/** A new group of processes that may have so many bytes together; its directory. */
	private function memoryGroup(int $bytes): string
	{
		$old = is_dir('/sys/fs/cgroup/memory');
		$group = ($old ? '/sys/fs/cgroup/memory' : '/sys/fs/cgroup') . '/opa-e2e-' . bin2hex(random_bytes(6));
		$limit = "$group/" . ($old ? 'memory.limit_in_bytes' : 'memory.max');
		if (!@mkdir($group) || @file_put_contents($limit, (string) $bytes) === false) {
			@rmdir($group);
			self::markTestSkipped('no group of processes with a limit of memory can be made here');
		}
		return $this->group = $group;
	}

	private static function oomKills(string $group): int
	{
		$said = @file_get_contents("$group/memory.events") ?: file_get_contents("$group/memory.oom_control");
		self::assertSame(1, preg_match('/^oom_kill (\d+)$/m', $said, $found));
		return (int) $found[1];
	}
}
