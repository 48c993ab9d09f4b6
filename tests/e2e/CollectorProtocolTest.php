<?php

declare(strict_types=1);

namespace Opa\Tests;

/** In what the exporter speaks to a collector. */
final class CollectorProtocolTest extends CollectorTestCase
{
	/** @return array<string, array{bool, bool, string}> TLS, whether it offers HTTP/2, what is spoken */
	public function protocols(): array
	{
		return [
			'TLS that offers HTTP/2' => [true, true, 'HTTP/2.0'],
			'TLS that does not' => [true, false, 'HTTP/1.1'],
			'no TLS' => [false, false, 'HTTP/1.1'],
		];
	}

	/**
	 * And connections that the other side closes in order cost no trace, nor send one twice.
	 * @dataProvider protocols
	 */
	public function testHttp2IsSpokenWhereItIsOffered(bool $tls, bool $http2, string $protocol): void
	{
		$collector = $this->collector();
		$ca = $this->certificate('ca');
		$certificate = $tls ? $this->certificate('127.0.0.1', 'ca') : null;
		$proxy = new Proxy($collector->port, $certificate, $http2, 5);
		$proxy->start();
		$pool = new Pool('www');
		$pool->directives['pm.max_children'] = '4';
		$pool->settings = ['opa.endpoint' => ($tls ? 'https' : 'http') . "://127.0.0.1:$proxy->port", 'opa.linger' => '0',
			'opa.ca_file' => $tls ? "$ca.pem" : ''];
		$this->site($pool)->start();

		$markers = [];
		self::await(static function () use ($pool, $proxy, &$markers): bool {
			$markers[self::visit($pool, 'nested')] = 1;
			return count($proxy->requests()) >= 12;
		}, 'it is asked a dozen times', 30);
		self::await(static fn (): bool => array_diff_key($markers, $collector->markers()) === [], 'all arrive', 30);
		self::assertEquals($markers, $collector->markers());
		self::assertCount(11 * count($markers), $collector->spans());

		$requests = $proxy->requests();
		self::assertSame([$protocol], array_values(array_unique(array_column($requests, 'protocol'))));
		self::assertSame(['200'], array_values(array_unique(array_column($requests, 'status'))));
		self::assertSame(['application/x-protobuf'], array_values(array_unique(array_column($requests, 'type'))));
		self::assertSame((int) ceil(count($requests) / 5), count(array_unique(array_column($requests, 'connection'))));
		self::assertSame('', self::status($pool)['problem']);
		$proxy->remove();
	}

	/** Its file stands there also when nobody listens any more. */
	public function testASocketOfThisMachine(): void
	{
		$collector = $this->collector([], true);
		[, $pool] = $this->sendingTo($collector);
		self::assertStringStartsWith('unix:///', $collector->url());
		$markers = [self::visit($pool, 'nested')];
		self::assertCount(11, self::arrived($collector, $markers[0], 11));
		$collector->stop();
		touch(substr($collector->url(), strlen('unix://')));
		for ($i = 0; $i < 5; $i++) {
			$markers[] = self::visit($pool, 'nested');
		}
		self::await(static fn (): bool => str_contains($pool->state()['problem'] ?? '', 'no connection'), 'state says why', 20);
		unlink(substr($collector->url(), strlen('unix://')));
		$collector->start();
		self::await(static fn (): bool => count($collector->markers()) === 6, 'all arrive', 30);
		self::assertEquals(array_fill_keys($markers, 1), $collector->markers());
	}
}
