<?php

declare(strict_types=1);

namespace Opa\Tests;

/** What a caller sends along through nginx, and what goes on from there, with other formats than the W3C's. */
final class PropagationTest extends ServerTestCase
{
	private const TRACE = '80f198ee56343ba864fe8b2a57d3eff7';
	private const PARENT = 'e457b5a2e4d86bd1';

	private static ?Site $shared = null;
	private static Pool $single;
	private static Pool $multi;

	public static function setUpBeforeClass(): void
	{
		parent::setUpBeforeClass();
		self::$single = new Pool('single');
		self::$single->settings = ['opa.propagators' => 'tracecontext,b3'];
		self::$multi = new Pool('multi');
		self::$multi->env = ['OTEL_PROPAGATORS' => 'b3multi,baggage'];
		self::$shared = new Site(self::$single, self::$multi);
		self::$shared->start();
	}

	public static function tearDownAfterClass(): void
	{
		self::$shared?->stop();
		self::$shared = null;
	}

	/**
	 * The headers that the page would send on, and the marker of its trace.
	 * @param list<string> $headers
	 * @return array{array<string, string>, string}
	 */
	private static function forwarded(Pool $pool, array $headers): array
	{
		$marker = self::marker();
		$answer = Client::get($pool->url('headers', "m=$marker"), [CURLOPT_HTTPHEADER => $headers]);
		return [json_decode($answer->body, true, 512, JSON_THROW_ON_ERROR), $marker];
	}

	public function testOneHeader(): void
	{
		[$sent, $marker] = self::forwarded(self::$single, ['b3: ' . self::TRACE . '-' . self::PARENT . '-1']);
		$trace = self::trace(self::$single, $marker);

		self::assertSame([self::TRACE, self::PARENT, 1],
			[$trace->root['trace_id'], $trace->root['parent_id'], (int) $trace->root['remote']]);
		self::assertSame(['traceparent' => '00-' . self::TRACE . "-{$trace->root['span_id']}-01",
			'b3' => self::TRACE . "-{$trace->root['span_id']}-1"], $sent);
	}

	public function testSeveralHeaders(): void
	{
		[$sent, $marker] = self::forwarded(self::$multi, ['X-B3-TraceId: ' . substr(self::TRACE, 16),
			'x-b3-spanid: ' . self::PARENT, 'X-B3-ParentSpanId: 05e3ac9a4f6e3b90', 'X-B3-Flags: 1', 'baggage: a=1']);
		$trace = self::trace(self::$multi, $marker);

		$padded = str_repeat('0', 16) . substr(self::TRACE, 16);
		self::assertSame([$padded, self::PARENT], [$trace->root['trace_id'], $trace->root['parent_id']]);
		self::assertSame(['X-B3-TraceId' => $padded, 'X-B3-SpanId' => $trace->root['span_id'], 'X-B3-Flags' => '1',
			'baggage' => 'a=1'], $sent);
	}

	public function testADenialTravels(): void
	{
		[$sent] = self::forwarded(self::$multi, ['b3: 0']);

		self::assertSame(['X-B3-TraceId', 'X-B3-SpanId', 'X-B3-Sampled'], array_keys($sent));
		self::assertSame('0', $sent['X-B3-Sampled']);
	}

	public function testTheLaterPropagatorCounts(): void
	{
		[$sent] = self::forwarded(self::$single, ['b3: ' . self::TRACE . '-' . self::PARENT . '-0',
			'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'tracestate: a=1']);

		self::assertStringStartsWith('00-' . self::TRACE . '-', $sent['traceparent']);
		self::assertStringEndsWith('-00', $sent['traceparent']);
		self::assertArrayNotHasKey('tracestate', $sent);
	}
}
