<?php

declare(strict_types=1);

namespace Opa\Tests;

/** Which requests of several workers are kept. */
final class SamplingTest extends ServerTestCase
{
	private static function pool(array $settings, int $workers = 4): Pool
	{
		$pool = new Pool('sampled');
		$pool->settings = $settings;
		$pool->directives = ['pm' => 'static', 'pm.max_children' => (string) $workers];
		return $pool;
	}

	/** Counters of all processes, once what they add up to is there. */
	private static function awaitCounters(Site $site, Pool $pool, string $name, int $value): void
	{
		$sum = static fn (): int => (int) $pool->store()->value('SELECT sum(value) FROM counters WHERE name = ?', [$name]);
		self::await(static fn (): bool => $sum() >= $value, "$name is $value", 20);
		self::assertSame($value, $sum());
	}

	/**
	 * Visits pages as fast as they are answered.
	 * @param iterable<string, string> $urls
	 * @return array<string, Answer> by marker
	 */
	private static function visitAll(iterable $urls, int $concurrency): array
	{
		$answers = [];
		(new Client($concurrency))->run($urls, static function (string $marker, Answer $answer) use (&$answers): void {
			$answers[$marker] = $answer;
		});
		return $answers;
	}

	/** @return array<string, array{int, int, int}> workers, limit, requests at once */
	public function loads(): array
	{
		return ['one worker' => [1, 20, 1], 'eight workers' => [8, 20, 16], 'more workers than the limit' => [24, 6, 24]];
	}

	/** @dataProvider loads */
	public function testTheRateLimitHoldsOverAllWorkers(int $workers, int $limit, int $concurrency): void
	{
		$pool = self::pool(['opa.rate_limit' => (string) $limit], $workers);
		$site = $this->site($pool);
		// For workers to end in order, and save what they have counted.
		$site->global = ['process_control_timeout' => '20s'];
		$site->start();
		$seconds = 4;
		$end = hrtime(true) + $seconds * 1e9;
		$asked = (static function () use ($pool, $end): \Generator {
			while (hrtime(true) < $end) {
				$marker = self::marker();
				yield $marker => $pool->url('sampled', "m=$marker");
			}
		})();
		$times = [];
		$refused = 0;
		foreach (self::visitAll($asked, $concurrency) as $marker => $answer) {
			self::assertSame(200, $answer->status);
			$said = json_decode($answer->body, true);
			self::assertSame($said['recorded'] ? '03' : '02', substr($said['traceparent'], -2));
			$said['recorded'] && $times[] = $said['time'];
			$refused += !$said['recorded'];
		}
		sort($times);
		foreach ($times as $i => $time) {
			$last = $times[$i + (int) ceil($limit * 1.2)] ?? INF;
			// The page sees the time a little after the limit was asked.
			self::assertGreaterThan(0.8, $last - $time, 'a second with more than the limit and a fifth');
		}
		self::assertGreaterThan(0.8 * $limit * ($seconds - 1), count($times));
		self::assertGreaterThan(count($times), $refused);
		self::await(static fn (): bool => count($pool->store()->markers()) === count($times), 'they arrive', 20);
		$site->stopFpm(SIGQUIT);
		self::awaitCounters($site, $pool, 'traces_rate_limited', $refused);
		self::awaitCounters($site, $pool, 'traces_kept', count($times));
	}

	public function testOnlyErrorsAndSlowRequestsAreKept(): void
	{
		$pool = self::pool(['opa.sample_rate' => '0', 'opa.keep_errors' => '1', 'opa.keep_slow' => '90ms']);
		$site = $this->site($pool);
		// For workers to end in order, and save what they have counted.
		$site->global = ['process_control_timeout' => '20s'];
		$site->start();
		$pages = ['plain' => null, 'nested' => null, 'uncaught' => 'error', 'caught' => 'error', 'fatal' => 'error', 'exit' => null,
			'fiber' => null, 'session' => null, 'slow' => 'slow', 'thousand' => null];
		$sent = [];
		for ($i = 0; $i < 20; $i++) {
			foreach ($pages as $page => $why) {
				$sent[self::marker()] = [$page, $why];
			}
		}
		$urls = array_map(static fn (array $of, string $marker): string => $pool->url($of[0], "m=$marker"), $sent, array_keys($sent));
		self::visitAll(array_combine(array_keys($sent), $urls), 4);
		$wanted = array_filter($sent, static fn (array $of): bool => $of[1] !== null);

		self::await(static fn (): bool => count($pool->store()->markers()) >= count($wanted), 'they arrive', 20);
		foreach ($wanted as $marker => [$page, $why]) {
			$trace = self::trace($pool, $marker);
			// Under load another one may have been slow, too; an error goes first.
			self::assertSame($why, $trace->attributes['opa.kept'], $page);
			self::assertGreaterThan(1, count($trace->spans), $page);
		}
		foreach (array_diff_key($pool->store()->markers(), $wanted) as $marker => $ignored) {
			self::assertSame('slow', self::trace($pool, $marker)->attributes['opa.kept'], $sent[$marker][0]);
		}
		$kept = count($pool->store()->markers());
		$site->stopFpm(SIGQUIT);
		self::awaitCounters($site, $pool, 'traces_sampled_out', count($sent) - $kept);
		self::awaitCounters($site, $pool, 'traces_kept', $kept);
	}

	public function testRulesAndWhatIsSentOn(): void
	{
		$pool = self::pool(['opa.sample_rules' => 'HEAD=0; GET /answer.php=0; service:shop sapi:fpm* /sampled.php=0.5; *=1',
			'opa.service_name' => 'shop'], 2);
		$this->site($pool)->start();
		self::assertSame('', Client::get($pool->url('answer', 'm=x'))->headers['x-trace'] ?? '');
		self::assertSame('ot=th:0', self::trace($pool, self::visit($pool, 'plain'))->root['trace_state']);
		$urls = [];
		for ($i = 0; $i < 100; $i++) {
			$urls[$marker = self::marker()] = $pool->url('sampled', "m=$marker");
		}
		$kept = 0;
		foreach (self::visitAll($urls, 2) as $answer) {
			$said = json_decode($answer->body, true);
			$kept += $said['recorded'];
			self::assertSame($said['recorded'] ? 'ot=th:8' : null, $said['tracestate'] ?? null);
			self::assertSame($said['recorded'], substr($said['traceparent'], 21, 1) >= '8', $said['traceparent']);
		}
		self::assertGreaterThan(20, $kept);
		self::assertLessThan(80, $kept);
	}
}
