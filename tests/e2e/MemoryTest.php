<?php

declare(strict_types=1);

namespace Opa\Tests;

/** One worker that lives long. */
final class MemoryTest extends ServerTestCase
{
	private const PAGES = ['plain', 'nested', 'uncaught', 'caught', 'fatal', 'exit', 'fiber', 'fiber_exit', 'session',
		'shutdown', 'destructor', 'memory', 'disable', 'thousand', 'tags', 'garbage', 'kept', 'output', 'generator',
		'flush', 'finish', 'handler', 'ini', 'fork', 'tostring_exit', 'tostring_fiber', 'preloaded'];
	private const WARM_UP = 1000;
	private const REQUESTS = 5000;

	public function testAWorkersMemoryIsFlatFromItsThousandthRequestOn(): void
	{
		$pool = new Pool('one');
		$pool->settings = ['opa.spool_max_size' => '1G'];
		$site = $this->site($pool);
		$site->moveSpoolIntoMemory($pool);
		$site->start();
		[$worker] = $site->workers();

		$before = $this->memoryAfter($pool, $worker, 0, self::WARM_UP);
		$after = $this->memoryAfter($pool, $worker, self::WARM_UP, self::REQUESTS);

		self::assertSame([$worker], $site->workers());
		self::assertLessThanOrEqual($before + 1024, $after, 'KiB');
	}

	private function memoryAfter(Pool $pool, int $worker, int $from, int $to): int
	{
		$urls = [];
		for ($i = $from; $i < $to; $i++) {
			$urls[] = $pool->url(self::PAGES[$i % count(self::PAGES)], 'm=' . self::marker());
		}
		// PHP's own allocator keeps what a large request took for some small ones.
		for ($i = 0; $i < 50; $i++) {
			$urls[] = $pool->url('empty', 'm=' . self::marker());
		}
		(new Client(1))->run($urls, static function ($key, Answer $answer) use ($worker): void {
			self::assertTrue($answer->isComplete());
			self::assertSame($worker, $answer->pid());
		});
		return Processes::memory($worker);
	}
}
