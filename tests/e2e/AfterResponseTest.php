<?php

declare(strict_types=1);

namespace Opa\Tests;

/** fastcgi_finish_request(): the SERVER span has the time that the client saw. */
final class AfterResponseTest extends ServerTestCase
{
	private static ?Site $shared = null;
	private static Pool $pool;

	public static function setUpBeforeClass(): void
	{
		parent::setUpBeforeClass();
		self::$shared = new Site(self::$pool = new Pool('plain'));
		self::$shared->start();
	}

	public static function tearDownAfterClass(): void
	{
		self::$shared?->stop();
		self::$shared = null;
	}

	public function testTheServerSpanEndsWithTheAnswerAndWhatFollowsIsItsChild(): void
	{
		$trace = self::trace(self::$pool, self::visit(self::$pool, 'answered'));
		$after = $trace->span('after response');
		$later = $trace->span('later');
		$open = $trace->span('open at the answer');

		self::assertSame($trace->root['span_id'], $after['parent_id']);
		self::assertSame($after['span_id'], $later['parent_id']);
		self::assertSame($trace->root['span_id'], $open['parent_id']);
		$served = $trace->root['duration_ns'];
		$rest = $after['duration_ns'];
		self::assertGreaterThanOrEqual(300_000_000, $rest);
		self::assertLessThan($rest, $served);
		// They overlap by what lies between two readings of the clock.
		self::assertEqualsWithDelta($trace->root['start_ns'] + $served, $after['start_ns'], 50_000_000);
		self::assertSame(201, $trace->attributes['http.response.status_code']);
		self::assertArrayHasKey('php.memory.peak', $trace->attributes);
		self::assertArrayNotHasKey('late', $trace->attributes);
		self::assertArrayHasKey('php.cpu.time', $after['attributes']);
		self::assertArrayNotHasKey('http.response.status_code', $after['attributes']);
		self::assertSame([true, false], $open['attributes']['finished']);
		self::assertSame([false, false, false], $open['attributes']['root']);
	}

	public function testAnErrorAfterTheAnswerIsNotTheAnswers(): void
	{
		$trace = self::trace(self::$pool, self::visit(self::$pool, 'answered', 'fail=1'));
		$after = $trace->span('after response');

		self::assertSame(0, $trace->root['status']);
		self::assertSame(201, $trace->attributes['http.response.status_code']);
		self::assertSame(2, $after['status']);
		self::assertSame('RuntimeException', $after['attributes']['error.type']);
		self::assertSame(['exception'], array_column($after['events'], 'name'));
	}

	public function testNothingIsCountedThatWasNot(): void
	{
		$pool = new Pool('www');
		$this->site($pool)->start();
		for ($i = 0; $i < 5; $i++) {
			self::visit($pool, 'answered');
		}
		$counters = self::status($pool)['counters'];
		$open = 1; // that of the page which tells it
		$expected = ['traces_started' => 5, 'traces_kept' => 5, 'spans_started' => $counters['spans_kept'] + $open];
		self::assertSame($expected, array_intersect_key($counters, $expected));
		$losses = array_filter($counters, static fn (int $n, string $name): bool => $n > 0
			&& preg_match('/dropped|refused|lost|cut/', $name) === 1, ARRAY_FILTER_USE_BOTH);
		self::assertSame([], $losses);
	}
}
