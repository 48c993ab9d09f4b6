<?php

declare(strict_types=1);

namespace Opa\Tests;

/** What the root span says of the request, through nginx. */
final class HttpTest extends ServerTestCase
{
	private static ?Site $shared = null;
	private static Pool $pool;
	private static Pool $trusting;

	public static function setUpBeforeClass(): void
	{
		parent::setUpBeforeClass();
		self::$pool = new Pool('plain');
		self::$trusting = new Pool('trusting');
		self::$trusting->settings = ['opa.trust_proxy' => '1'];
		self::$shared = new Site(self::$pool, self::$trusting);
		self::$shared->ipv6 = @stream_socket_server('tcp://[::1]:0') !== false;
		self::$shared->start();
	}

	public static function tearDownAfterClass(): void
	{
		self::$shared?->stop();
		self::$shared = null;
	}

	/** @param array<int, mixed> $options of curl */
	private static function traced(string $page, string $query = '', array $options = [], ?Pool $pool = null): Trace
	{
		$pool ??= self::$pool;
		return self::trace($pool, self::visit($pool, $page, $query, $options));
	}

	/** The request line and headers as they are sent. %s is the marker. */
	private static function sent(string $request): Trace
	{
		$marker = self::marker();
		Client::raw(self::$pool->port, str_replace(['%s', "\n"], [$marker, "\r\n"], $request) . "\r\n\r\n");
		return self::trace(self::$pool, $marker);
	}

	public function testTheCallersTraceGoesOn(): void
	{
		$caller = bin2hex(random_bytes(16));
		$sent = ["traceparent: 00-$caller-b7ad6b7169203331-01", 'tracestate: a=1, b=2', 'baggage: c=3'];
		$marker = self::marker();
		$answer = Client::get(self::$pool->url('headers', "m=$marker"), [CURLOPT_HTTPHEADER => $sent]);
		$trace = self::trace(self::$pool, $marker);

		self::assertSame($caller, $trace->root['trace_id']);
		self::assertSame('b7ad6b7169203331', $trace->root['parent_id']);
		self::assertSame(1, (int) $trace->root['remote']);
		self::assertSame('a=1,b=2', $trace->root['trace_state']);
		self::assertSame(['traceparent' => "00-$caller-{$trace->root['span_id']}-01", 'tracestate' => 'a=1,b=2',
			'baggage' => 'c=3'], json_decode($answer->body, true));
	}

	public function testRequiredAndRecommendedAttributes(): void
	{
		$trace = self::traced('answer', 'a=b', [CURLOPT_USERAGENT => 'tests/1.0']);

		$port = $trace->attributes['network.peer.port'];
		self::assertIsInt($port);
		self::assertGreaterThan(0, $port);
		$expected = [
			'http.request.method' => 'GET',
			'url.scheme' => 'http',
			'url.path' => '/answer.php',
			'url.query' => "m={$trace->attributes['marker']}&a=b",
			'server.port' => self::$pool->port,
			'client.address' => '127.0.0.1',
			'network.peer.address' => '127.0.0.1',
			'user_agent.original' => 'tests/1.0',
			'network.protocol.version' => '1.1',
			'http.response.status_code' => 200,
		];
		$found = array_intersect_key($trace->attributes, $expected);
		ksort($expected);
		ksort($found);
		self::assertSame($expected, $found);
		// Debian's fastcgi_params give the name without the port, or the header as it is.
		self::assertContains($trace->attributes['server.address'], ['127.0.0.1', 'localhost']);
		self::assertSame(['GET', 2, 0], [$trace->root['name'], $trace->root['kind'], $trace->root['status']]);
		self::assertArrayNotHasKey('error.type', $trace->attributes);
		self::assertArrayNotHasKey('http.route', $trace->attributes);
		self::assertArrayNotHasKey('http.request.method_original', $trace->attributes);
		self::assertIsInt($trace->attributes['php.memory.peak']);
		self::assertIsFloat($trace->attributes['php.cpu.time']);
	}

	public function testTheResourceSaysWhoMadeIt(): void
	{
		$resource = self::traced('plain')->resource;

		$expected = ['service.name' => 'unknown_service:php', 'telemetry.sdk.name' => 'opa',
			'telemetry.sdk.language' => 'php', 'process.runtime.name' => 'fpm-fcgi', 'os.type' => 'linux',
			'process.runtime.version' => PHP_VERSION, 'host.name' => gethostname(),
			'process.pid' => self::$shared->workers()[0]];
		self::assertEquals($expected, array_intersect_key($resource, $expected));
		self::assertMatchesRegularExpression('/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/',
			$resource['service.instance.id']);
	}

	public function testHttp10(): void
	{
		$trace = self::sent('GET /answer.php?m=%s HTTP/1.0');

		self::assertSame('1.0', $trace->attributes['network.protocol.version']);
		self::assertSame('localhost', $trace->attributes['server.address']);
		self::assertSame(self::$pool->port, $trace->attributes['server.port']);
		self::assertArrayNotHasKey('user_agent.original', $trace->attributes);
	}

	/** @return array<string, array{string, string, string}> */
	public function methods(): array
	{
		$known = array_map(static fn (string $m): array => [$m, $m, $m],
			['HEAD' => 'HEAD', 'POST' => 'POST', 'PUT' => 'PUT', 'DELETE' => 'DELETE', 'OPTIONS' => 'OPTIONS',
				'PATCH' => 'PATCH']);
		return $known + ['PROPFIND' => ['PROPFIND', '_OTHER', 'HTTP'], 'BREW' => ['BREW', '_OTHER', 'HTTP'],
			'M-SEARCH' => ['M-SEARCH', '_OTHER', 'HTTP']];
	}

	/** @dataProvider methods */
	public function testMethods(string $method, string $recorded, string $name): void
	{
		$trace = self::sent("$method /answer.php?m=%s HTTP/1.1\nHost: x\nConnection: close\nContent-Length: 0");

		self::assertSame([$recorded, $name], [$trace->attributes['http.request.method'], $trace->root['name']]);
		self::assertSame($recorded === $method ? null : $method,
			$trace->attributes['http.request.method_original'] ?? null);
	}

	public function testAPostWithABody(): void
	{
		$trace = self::traced('answer', '', [CURLOPT_POSTFIELDS => ['password' => 'hunter2',
			'a' => str_repeat('x', 100000)]]);

		self::assertSame('POST', $trace->attributes['http.request.method']);
		self::assertStringNotContainsString('hunter2', json_encode($trace->spans));
	}

	/** @return array<int, array{int, int}> */
	public function statuses(): array
	{
		return [[201, 0], [204, 0], [301, 0], [400, 0], [404, 0], [499, 0], [500, 2], [503, 2], [599, 2]];
	}

	/** @dataProvider statuses */
	public function testStatusCodes(int $code, int $status): void
	{
		$trace = self::traced('answer', "status=$code");

		self::assertSame([$code, $status], [$trace->attributes['http.response.status_code'], $trace->root['status']]);
		self::assertSame($status === 2 ? (string) $code : null, $trace->attributes['error.type'] ?? null);
		self::assertNull($trace->root['status_message']);
	}

	public function testAScriptThatIsNotThereIsA404(): void
	{
		$path = '/no-such-script-' . self::marker() . '.php';
		$answer = Client::get('http://127.0.0.1:' . self::$pool->port . $path);
		self::assertSame(404, $answer->status);

		$find = static fn (): array => self::$pool->store()->rows("SELECT * FROM spans
			WHERE json_extract(attributes, '$.\"url.path\"') = ?", [$path]);
		self::await(static fn (): bool => $find() !== [], 'its trace arrives');
		[$root] = $find();
		self::assertSame(404, json_decode($root['attributes'], true)['http.response.status_code']);
		self::assertSame(['GET', 0], [$root['name'], $root['status']]);
	}

	public function testAnUncaughtException(): void
	{
		$trace = self::traced('uncaught');

		self::assertSame('RuntimeException', $trace->attributes['error.type']);
		self::assertSame(500, $trace->attributes['http.response.status_code']);
		self::assertSame(2, $trace->root['status']);
		self::assertSame(['exception'], array_column($trace->root['events'], 'name'));
		$event = $trace->root['events'][0]['attributes'];
		self::assertSame(['RuntimeException', 'nobody catches this'],
			[$event['exception.type'], $event['exception.message']]);
		self::assertStringContainsString('LogicException: the reason', $event['exception.stacktrace']);
		self::assertTrue($trace->span('open 0')['attributes']['opa.unfinished']);
	}

	public function testAFatalError(): void
	{
		$trace = self::traced('memory');

		self::assertSame('E_ERROR', $trace->attributes['error.type']);
		self::assertStringEndsWith('/memory.php', $trace->attributes['code.file.path']);
		self::assertStringStartsWith('Allowed memory size', $trace->root['status_message']);
		self::assertSame([2, 500], [$trace->root['status'], $trace->attributes['http.response.status_code']]);
	}

	public function testALateSessionHandlersSpansAreInTheTrace(): void
	{
		$trace = self::traced('session');

		self::assertSame(['GET', 'opened early', 'session write'], $trace->names());
		$early = $trace->span('opened early')['attributes'];
		self::assertSame('yes', $early['late']);
		self::assertArrayNotHasKey('too', $early);
		self::assertTrue($trace->attributes['closed']);
	}

	public function testSecretsInTheQueryAreRedacted(): void
	{
		$trace = self::traced('answer', 'password=hunter2&Token=abc&x-signature=s3&name=kept&code=1234');

		$query = $trace->attributes['url.query'];
		self::assertStringContainsString('name=kept', $query);
		foreach (['hunter2', 'abc', '1234'] as $secret) {
			self::assertStringNotContainsString($secret, $query);
		}
	}

	public function testAPathThatIsNotUtf8(): void
	{
		$trace = self::sent("GET /answer.php?m=%s&x=\xff\xfe HTTP/1.1\nHost: x\nConnection: close\nUser-Agent: a\xffb");

		self::assertSame("a\u{FFFD}b", $trace->attributes['user_agent.original']);
		self::assertStringEndsWith("\u{FFFD}\u{FFFD}", $trace->attributes['url.query']);
	}

	public function testIpv6(): void
	{
		if (!self::$shared->ipv6) {
			self::markTestSkipped('no IPv6 loopback');
		}
		$marker = self::marker();
		$port = self::$pool->port;
		self::assertSame('answer', Client::get("http://[::1]:$port/answer.php?m=$marker")->body);

		$trace = self::trace(self::$pool, $marker);
		self::assertSame(['::1', '::1', $port], [$trace->attributes['client.address'],
			$trace->attributes['network.peer.address'], $trace->attributes['server.port']]);
		self::assertContains($trace->attributes['server.address'], ['::1', 'localhost']);
	}

	private const PROXIED = ['X-Forwarded-For: 203.0.113.7, 10.0.0.1', 'X-Forwarded-Proto: https',
		'X-Forwarded-Host: shop.example:8443'];

	public function testAProxysHeadersAreIgnoredByDefault(): void
	{
		$trace = self::traced('answer', '', [CURLOPT_HTTPHEADER => [...self::PROXIED,
			'Forwarded: for=198.51.100.1;proto=https;host=example.com']]);

		self::assertSame(['http', '127.0.0.1', self::$pool->port], [$trace->attributes['url.scheme'],
			$trace->attributes['client.address'], $trace->attributes['server.port']]);
		self::assertContains($trace->attributes['server.address'], ['127.0.0.1', 'localhost']);
	}

	public function testATrustedProxysCustomaryHeaders(): void
	{
		$trace = self::traced('answer', '', [CURLOPT_HTTPHEADER => self::PROXIED], self::$trusting);

		self::assertSame(['https', '203.0.113.7', 'shop.example', 8443, '127.0.0.1'], [
			$trace->attributes['url.scheme'], $trace->attributes['client.address'],
			$trace->attributes['server.address'], $trace->attributes['server.port'],
			$trace->attributes['network.peer.address']]);
	}

	public function testATrustedProxysStandardHeaderWins(): void
	{
		$trace = self::traced('answer', '', [CURLOPT_HTTPHEADER => [...self::PROXIED,
			'Forwarded: For="[2001:db8::7]:4711";proto=https; host=example.com, for=10.0.0.1']], self::$trusting);

		self::assertSame(['https', '2001:db8::7', 'example.com'], [$trace->attributes['url.scheme'],
			$trace->attributes['client.address'], $trace->attributes['server.address']]);
	}

	public function testATrustedProxysHttpsWithoutAPortIsPort443(): void
	{
		$trace = self::traced('answer', '', [CURLOPT_HTTPHEADER => ['X-Forwarded-Proto: https',
			'X-Forwarded-Host: shop.example']], self::$trusting);

		self::assertSame(['https', 'shop.example', 443], [$trace->attributes['url.scheme'],
			$trace->attributes['server.address'], $trace->attributes['server.port']]);
	}

	public function testNonsenseInAProxysHeaders(): void
	{
		foreach (['X-Forwarded-For: ,', 'Forwarded: for="', 'Forwarded: ;;;=;', 'X-Forwarded-Host: [::1',
			'X-Forwarded-Host: a:999999', 'X-Forwarded-Proto: gopher', 'X-Forwarded-For: unknown'] as $header) {
			$trace = self::traced('answer', '', [CURLOPT_HTTPHEADER => [$header]], self::$trusting);
			self::assertContains($trace->attributes['url.scheme'], ['http', 'https'], $header);
			self::assertGreaterThan(0, $trace->attributes['server.port'] ?? 1, $header);
			self::assertSame('127.0.0.1', $trace->attributes['network.peer.address'], $header);
		}
	}
}
