<?php

declare(strict_types=1);

namespace Opa\Tests;

/** What was answered reaches the collector, however workers and their master end meanwhile. */
final class CollectorEndsTest extends CollectorTestCase
{
	private const REQUESTS = 400;

	/** @return array<string, array{array<int, list<string|int>>, bool}> after how many answers what gets which signal; whether that may repeat */
	public function ends(): array
	{
		return [
			'reloads' => [[100 => ['fpm', SIGUSR2], 200 => ['fpm', SIGUSR2], 300 => ['fpm', SIGUSR2]], false],
			'SIGQUIT' => [[200 => ['fpm', SIGQUIT]], false],
			'SIGTERM' => [[200 => ['fpm', SIGTERM]], false],
			'a reload, the exporter killed, SIGQUIT' => [[80 => ['fpm', SIGUSR2], 150 => ['exporter', SIGKILL],
				250 => ['fpm', SIGQUIT]], true],
		];
	}

	/**
	 * Workers leave by pm.max_requests all the time, besides.
	 * @dataProvider ends
	 * @param array<int, array{string, int}> $events
	 */
	public function testWhatWasAnsweredArrives(array $events, bool $mayRepeat): void
	{
		$collector = $this->collector();
		[$site, $pool] = $this->sendingTo($collector, ['pm.max_children' => '4', 'pm.max_requests' => '7'],
			['opa.linger' => '300ms'], ['process_control_timeout' => '20s']);
		$urls = $answered = [];
		for ($i = 0; $i < self::REQUESTS; $i++) {
			$urls[$marker = self::marker()] = $pool->url('nested', "m=$marker");
		}
		(new Client(8))->run($urls, function (string $marker, Answer $answer) use (&$answered, $site, $events): void {
			if ($answer->isComplete() && $answer->body === 'nested') {
				$answered[$marker] = 1;
				$this->happens($site, ...($events[count($answered)] ?? []));
			}
		});
		$stopped = in_array(end($events)[1], [SIGQUIT, SIGTERM], true);
		self::assertGreaterThanOrEqual(array_key_last($events), count($answered));
		self::assertSame($stopped, count($answered) < self::REQUESTS);
		$site->stopFpm(SIGQUIT);
		if (Processes::exporters($site->directory) === []) {
			self::bringIn($site, $pool); // killed, and no request came that started another
		}

		self::await(static fn (): bool => array_diff_key($answered, $collector->markers()) === [], 'all arrive', 30);
		self::await(static fn (): bool => $pool->journals() === 0, 'nothing waits', 30);
		self::assertWhole($collector, $answered, $mayRepeat);
		// Some may have been cut off between their trace and their answer.
		self::assertLessThanOrEqual(4, count(array_diff_key($collector->markers(), $answered)));
		self::assertSame(substr_count(json_encode($events), '"fpm",' . SIGUSR2), substr_count($site->fpmLog(), 'Reloading in progress'));
		self::assertStringNotContainsString('exited on signal ' . SIGSEGV, $site->fpmLog());
	}

	private function happens(Site $site, string $to = '', int $signal = 0): void
	{
		if ($to === 'fpm') {
			$site->fpm->signal($signal);
		} elseif ($to === 'exporter') {
			self::await(static fn (): bool => Processes::exporters($site->directory) !== [], 'there is an exporter');
			array_map(static fn (int $pid): bool => posix_kill($pid, $signal), Processes::exporters($site->directory));
		}
	}

	/** @param array<string, int> $answered */
	private static function assertWhole(Collector $collector, array $answered, bool $mayRepeat): void
	{
		$times = $ids = [];
		foreach ($collector->spans() as $span) {
			$times[$span['traceId']][$span['spanId']] = ($times[$span['traceId']][$span['spanId']] ?? 0) + 1;
			$ids[$span['attributes']['marker'] ?? ''] = $span['traceId'];
		}
		foreach ($answered as $marker => $_) {
			self::assertCount(11, $times[$ids[$marker]], $marker);
			self::assertLessThanOrEqual($mayRepeat ? 2 : 1, max($times[$ids[$marker]]), $marker);
		}
	}
}
