<?php

declare(strict_types=1);

namespace Opa\Tests;

/** PHP-FPM as it is in a container: process 1, a /dev/shm of 64 MiB, a limit on memory. */
final class CollectorContainerTest extends CollectorTestCase
{
	private const MEMORY = 120 << 20;
	/** A twentieth of the limit, the least of what opa.spool_max_size is by default here. */
	private const SPOOL = self::MEMORY / 20;
	private const REQUESTS = 8000;
	private const SPANS = 11;

	private ?MemoryLimit $limit = null;

	protected function tearDown(): void
	{
		parent::tearDown();
		$this->limit?->remove();
	}

	/** A day of it in fast motion: more comes than the spool may hold. */
	public function testACollectorThatIsAwayForADay(): void
	{
		$collector = $this->collector();
		[$site, $pool] = $this->contained($collector);
		$markers = [self::visit($pool, 'nested') => 1];
		self::arrived($collector, (string) key($markers), self::SPANS);
		$collector->stop();

		$urls = [];
		for ($i = 0; $i < self::REQUESTS; $i++) {
			$urls[$marker = self::marker()] = $pool->url('nested', "m=$marker");
		}
		$sizes = [];
		$answers = 0;
		(new Client(4))->run($urls, static function (string $marker, Answer $answer) use (&$markers, &$sizes, &$answers, $pool): void {
			self::assertTrue($answer->isComplete());
			self::assertSame([200, 'nested'], [$answer->status, $answer->body]);
			$markers[$marker] = 1;
			if (++$answers % 100 === 0) {
				$sizes[] = self::usage($pool->spool);
			}
		});
		self::assertGreaterThan(0.9 * self::SPOOL, max($sizes), 'the spool was full');
		self::assertLessThan(1.2 * self::SPOOL, max($sizes), 'and not much more');
		$late = array_slice($sizes, (int) (count($sizes) * 0.7));
		self::assertLessThan(0.05 * self::SPOOL, max($late) - min($late), 'it does not grow');

		$status = $this->opaStatusInside($site, $pool);
		self::assertSame(['spans_dropped_spool_full'], array_keys($status['losses']));
		self::assertStringContainsString('Connection refused', $status['spools'][0]['problem']);
		self::assertAllAreCounted($status['counters'], self::REQUESTS + 1);
		self::assertSame(0, $this->limit->kills());
		self::assertStringNotContainsString('exited on signal', $site->fpmLog());

		$collector->start();
		self::await(static fn (): bool => count($collector->markers()) === $status['counters']['traces_kept'], 'what was kept arrives', 60);
		self::assertSame([], array_diff_key($collector->markers(), $markers));
		self::assertSame([1], array_values(array_unique($collector->markers())));
		self::assertCount($status['counters']['spans_kept'], $collector->spans());
		self::assertInOrder($collector);
		$marker = self::visit($pool, 'nested');
		self::assertCount(self::SPANS, self::arrived($collector, $marker, self::SPANS));
		self::assertSame(0, $this->limit->kills());
	}

	/** @param array<string, int> $counters */
	private static function assertAllAreCounted(array $counters, int $requests): void
	{
		self::assertSame($requests, $counters['traces_started']);
		self::assertGreaterThan(1000, $counters['spans_dropped_spool_full']);
		self::assertGreaterThan(1000, $counters['spans_kept']);
		self::assertSame($requests * self::SPANS, $counters['spans_kept'] + $counters['spans_dropped_spool_full']);
		self::assertSame($counters['traces_kept'] * self::SPANS, $counters['spans_kept']);
	}

	/** @return array{Site, Pool} whose spool is seen from outside */
	private function contained(Collector $collector): array
	{
		self::needRoot();
		$unshare = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child=SIGKILL'];
		if (self::runToEnd([...$unshare, 'true'])[0] !== 0) {
			self::markTestSkipped('pid namespaces are not allowed here');
		}
		$this->limit = MemoryLimit::make(self::MEMORY);
		if ($this->limit === null) {
			self::markTestSkipped('no cgroup with a limit on memory can be made here');
		}
		$pool = new Pool('www');
		$pool->directives['pm.max_children'] = '4';
		$pool->settings = ['opa.endpoint' => $collector->url(), 'opa.linger' => '100ms', 'opa.spool_dir' => ''];
		$site = $this->site($pool);
		$site->wrapper = [...$unshare, 'sh', '-c',
			'mount -t tmpfs -o size=64m,mode=1777 opa-e2e /dev/shm && echo 0 >"$0" && exec "$@"', $this->limit->entrance()];
		$site->start();
		$fpm = $site->fpmPid();
		self::assertMatchesRegularExpression('/^NSpid:\s+\d+\s+1$/m', file_get_contents("/proc/$fpm/status"));
		$pool->spool = "/proc/$fpm/root/dev/shm/opa-" . posix_getpwnam($pool->user)['uid'];
		return [$site, $pool];
	}

	/** @return array<string, mixed> */
	private function opaStatusInside(Site $site, Pool $pool): array
	{
		$fpm = $site->fpmPid();
		[$code, $said] = self::runToEnd(['nsenter', '--mount', '--pid', "--target=$fpm", ...self::asUser($pool, PHP_BINARY,
			dirname(__DIR__, 2) . '/viewer/main.php', 'status', '--json', '--spool', substr($pool->spool, strlen("/proc/$fpm/root")))],
			['HOME' => '/nonexistent']);
		self::assertSame(0, $code, $said);
		return json_decode($said, true, 512, JSON_THROW_ON_ERROR);
	}

	/** Bytes that a directory takes on its disk. */
	private static function usage(string $directory): int
	{
		$bytes = 0;
		foreach (glob("$directory/*/*") as $file) {
			// Files move and go meanwhile.
			$bytes += 512 * (@stat($file)['blocks'] ?? 0);
		}
		return $bytes;
	}
}
