<?php

declare(strict_types=1);

namespace Opa\Tests;

/**
 * W3C Trace Context, level 2, as a service keeps it that is called and calls others: what comes in by a
 * server, and what goes on from there. Each case by php -S, by nginx with PHP-FPM, and by PHP-FPM with
 * repeated headers joined as servers do it that join them.
 */
final class TraceContextTest extends ServerTestCase
{
	private const TRACE = 'a3ce929d0e0e47364bf92f3577b34da6';
	private const CALLER = '00f067aa0ba902b7';
	private const IDS = self::TRACE . '-' . self::CALLER;
	private const PARENT = 'traceparent: 00-' . self::IDS . '-01';

	private static ?Site $shared = null;
	private static ?Daemon $builtin = null;
	private static int $builtinPort;
	private static Pool $pool;

	public static function setUpBeforeClass(): void
	{
		parent::setUpBeforeClass();
		self::$pool = new Pool('plain');
		self::$shared = new Site(self::$pool);
		self::$shared->start();
		$home = self::$shared->directory . '/builtin';
		mkdir($home);
		self::$builtinPort = Site::freePort();
		self::$builtin = new Daemon([PHP_BINARY, '-n', '-d', 'extension=' . self::$shared->modules . '/opa.so', '-d',
			"opa.spool_dir=$home/spool", '-d', "opa.store_path=$home/traces.db", '-S', '127.0.0.1:' . self::$builtinPort,
			'-t', self::$shared->pages()], ['PATH' => '/usr/bin:/bin'], "$home/log");
		self::await(static fn (): bool => @stream_socket_client('tcp://127.0.0.1:' . self::$builtinPort) !== false, 'php -S answers');
	}

	public static function tearDownAfterClass(): void
	{
		self::$builtin?->stop();
		self::$builtin = null;
		self::$shared?->stop();
		self::$shared = null;
	}

	/** @param list<string> $headers lines as they are sent */
	private static function overHttp(int $port, string $page, array $headers): array
	{
		$lines = ["GET /$page.php HTTP/1.0", 'Host: localhost', ...$headers, '', ''];
		$answer = Client::raw($port, implode("\r\n", $lines));
		return json_decode((string) (explode("\r\n\r\n", $answer, 2)[1] ?? ''), true, 512, JSON_THROW_ON_ERROR);
	}

	/** @param list<string> $headers */
	private static function overFastCgi(string $page, array $headers): array
	{
		$file = self::$shared->pages() . "/$page.php";
		$variables = ['REQUEST_METHOD' => 'GET', 'SCRIPT_FILENAME' => $file, 'REQUEST_URI' => "/$page.php",
			'SERVER_PROTOCOL' => 'HTTP/1.1'];
		foreach ($headers as $line) {
			[$name, $value] = explode(':', $line, 2);
			$name = 'HTTP_' . strtr(strtoupper($name), '-', '_');
			$value = trim($value, " \t");
			$variables[$name] = isset($variables[$name]) ? "$variables[$name], $value" : $value;
		}
		return json_decode(FastCgi::body(self::$pool->socket, $variables), true, 512, JSON_THROW_ON_ERROR);
	}

	/** Whether nginx hands repeated headers on: joined, since 1.23. */
	private static function nginxJoins(): bool
	{
		[, $said] = self::runToEnd([(string) Site::nginxBinary(), '-v']);
		return preg_match('~nginx/(\d+\.\d+)~', $said, $m) === 1 && version_compare($m[1], '1.23', '>=');
	}

	/** @param list<string> $headers */
	private static function ask(string $server, string $page, array $headers): array
	{
		$names = array_map(static fn (string $line): string => strtolower(explode(':', $line)[0]), $headers);
		if ($server === 'nginx' && count(array_unique($names)) < count($names) && !self::nginxJoins()) {
			self::markTestSkipped('this nginx hands PHP the last of repeated headers only');
		}
		return match ($server) {
			'php -S' => self::overHttp(self::$builtinPort, $page, $headers),
			'nginx' => self::overHttp(self::$pool->port, $page, $headers),
			'PHP-FPM' => self::overFastCgi($page, $headers),
		};
	}

	/** @param array<string, array> $cases for each server @return array<string, array> */
	private static function everywhere(array $cases): array
	{
		$all = [];
		foreach (['php -S', 'nginx', 'PHP-FPM'] as $server) {
			foreach ($cases as $name => $case) {
				$all["$server: $name"] = [$server, ...$case];
			}
		}
		return $all;
	}

	private static function assertSound(array $sent): array
	{
		self::assertMatchesRegularExpression('/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[0-3]$/', $sent['traceparent']);
		[, $trace, $span, $flags] = explode('-', $sent['traceparent']);
		self::assertNotSame(str_repeat('0', 32), $trace);
		self::assertNotSame(str_repeat('0', 16), $span);
		return [$trace, $span, $flags];
	}

	/** @return array<string, array> */
	public function newTraces(): array
	{
		$parent = static fn (string $value): array => [["traceparent: $value"]];
		return self::everywhere([
			'nothing is sent' => [[]],
			'an empty one' => $parent(''),
			'two' => [[self::PARENT, 'traceparent: 00-' . strrev(self::TRACE) . '-' . self::CALLER . '-01']],
			'the same twice' => [[self::PARENT, self::PARENT]],
			'two in one' => $parent('00-' . self::IDS . '-01,00-' . self::IDS . '-01'),
			'a hyphen in the name' => [['trace-parent: 00-' . self::IDS . '-01']],
			'a dot in the name' => [['trace.parent: 00-' . self::IDS . '-01']],
			'version 00 with a dot behind it' => $parent('00-' . self::IDS . '-01.'),
			'version 00 with a hyphen behind it' => $parent('00-' . self::IDS . '-01-'),
			'version 00 with more behind it' => $parent('00-' . self::IDS . '-01-and-more'),
			'a later version with a dot behind it' => $parent('c4-' . self::IDS . '-01.and-more'),
			'a later version with a digit behind it' => $parent('c4-' . self::IDS . '-011'),
			'the version that is none' => $parent('ff-' . self::IDS . '-01'),
			'a version in upper case' => $parent('AB-' . self::IDS . '-01'),
			'a version that is not hex, at first' => $parent('.0-' . self::IDS . '-01'),
			'a version that is not hex, at last' => $parent('0.-' . self::IDS . '-01'),
			'a version of one digit' => $parent('0-' . self::IDS . '-01'),
			'a version of three digits' => $parent('000-' . self::IDS . '-01'),
			'a version of four digits' => $parent('0000-' . self::IDS . '-01'),
			'a trace id of zeros' => $parent('00-' . str_repeat('0', 32) . '-' . self::CALLER . '-01'),
			'a trace id in upper case' => $parent('00-' . strtoupper(self::TRACE) . '-' . self::CALLER . '-01'),
			'a trace id that is not hex, at first' => $parent('00-.' . substr(self::TRACE, 1) . '-' . self::CALLER . '-01'),
			'a trace id that is not hex, at last' => $parent('00-' . substr(self::TRACE, 1) . 'g-' . self::CALLER . '-01'),
			'a trace id of 31 digits' => $parent('00-' . substr(self::TRACE, 1) . '-' . self::CALLER . '-01'),
			'a trace id of 33 digits' => $parent('00-' . self::TRACE . '0-' . self::CALLER . '-01'),
			'a parent id of zeros' => $parent('00-' . self::TRACE . '-' . str_repeat('0', 16) . '-01'),
			'a parent id in upper case' => $parent('00-' . self::TRACE . '-' . strtoupper(self::CALLER) . '-01'),
			'a parent id that is not hex, at first' => $parent('00-' . self::TRACE . '-.' . substr(self::CALLER, 1) . '-01'),
			'a parent id that is not hex, at last' => $parent('00-' . self::TRACE . '-' . substr(self::CALLER, 1) . '.-01'),
			'a parent id of 15 digits' => $parent('00-' . self::TRACE . '-' . substr(self::CALLER, 1) . '-01'),
			'a parent id of 17 digits' => $parent('00-' . self::TRACE . '-' . self::CALLER . '0-01'),
			'flags that are not hex, at first' => $parent('00-' . self::IDS . '-.1'),
			'flags that are not hex, at last' => $parent('00-' . self::IDS . '-0.'),
			'flags of one digit' => $parent('00-' . self::IDS . '-1'),
			'flags of three digits' => $parent('00-' . self::IDS . '-001'),
			'no flags' => $parent('00-' . self::IDS),
			'other separators' => $parent('00_' . strtr(self::IDS, '-', '_') . '_01'),
			'blanks within' => $parent('00 -' . self::IDS . '-01'),
		]);
	}

	/**
	 * A traceparent that is not valid is as none: a new trace, and its tracestate is nobody's.
	 * @dataProvider newTraces
	 * @param list<string> $headers
	 */
	public function testWhatIsNoParentBeginsANewTrace(string $server, array $headers): void
	{
		$sent = self::ask($server, 'headers', [...$headers, 'tracestate: a=1']);

		[$trace, , $flags] = self::assertSound($sent);
		self::assertNotSame(strtolower(self::TRACE), $trace);
		self::assertNotSame(strrev(self::TRACE), $trace);
		self::assertSame('03', $flags, 'sampled, and of a random id');
		self::assertArrayNotHasKey('tracestate', $sent);
	}

	/** @return array<string, array> */
	public function parents(): array
	{
		$parent = static fn (string $value): array => ["traceparent: $value", '01'];
		return self::everywhere([
			'as it should be' => [self::PARENT, '01'],
			'a name with capitals' => ['TraceParent: 00-' . self::IDS . '-01', '01'],
			'a name in capitals' => ['TRACEPARENT: 00-' . self::IDS . '-01', '01'],
			'a name with some capitals' => ['tRACEpARENT: 00-' . self::IDS . '-01', '01'],
			'a space before it' => ['traceparent:  00-' . self::IDS . '-01', '01'],
			'no space before it' => ['traceparent:00-' . self::IDS . '-01', '01'],
			'a tab before it' => ["traceparent:\t00-" . self::IDS . '-01', '01'],
			'a space behind it' => [self::PARENT . ' ', '01'],
			'a tab behind it' => [self::PARENT . "\t", '01'],
			'blanks on both sides' => ["traceparent: \t 00-" . self::IDS . "-01 \t ", '01'],
			'not sampled' => ['traceparent: 00-' . self::IDS . '-00', '00'],
			'random' => ['traceparent: 00-' . self::IDS . '-03', '03'],
			'random, not sampled' => ['traceparent: 00-' . self::IDS . '-02', '02'],
			'flags that nobody knows' => ['traceparent: 00-' . self::IDS . '-fc', '00'],
			'all flags' => ['traceparent: 00-' . self::IDS . '-ff', '03'],
			'a later version' => $parent('c4-' . self::IDS . '-01'),
			'a later version with more' => $parent('c4-' . self::IDS . '-01-and-more'),
			'the last version' => $parent('fe-' . self::IDS . '-01-'),
		]);
	}

	/** @dataProvider parents */
	public function testAParentsTraceGoesOnWithASpanOfItsOwn(string $server, string $header, string $flags): void
	{
		$sent = self::ask($server, 'headers', [$header]);

		[$trace, $span, $sentFlags] = self::assertSound($sent);
		self::assertSame([self::TRACE, $flags], [$trace, $sentFlags]);
		self::assertNotSame(self::CALLER, $span);
		self::assertArrayNotHasKey('tracestate', $sent);
	}

	private static function members(int $from, int $to): string
	{
		return implode(',', array_map(static fn (int $i): string => "v$i=$i", range($from, $to)));
	}

	/** @return array<string, array> headers; the tracestate that is sent on, null for none */
	public function states(): array
	{
		$state = static fn (string $value, ?string $on): array => [["tracestate: $value"], $on];
		$key = implode('', range('a', 'z')) . '0123456789_-*/';
		$value = implode('', array_diff(array_map(chr(...), range(0x20, 0x7e)), [',', '=']));
		$long = static fn (string $name, int $length): string => "$name=" . str_repeat('x', $length - strlen($name) - 1);
		return self::everywhere([
			'two members' => $state('a=1,b=2', 'a=1,b=2'),
			'a name with capitals' => [['TraceState: a=1'], 'a=1'],
			'a name in capitals' => [['TRACESTATE: a=1'], 'a=1'],
			'a hyphen in the name' => [['trace-state: a=1'], null],
			'a dot in the name' => [['trace.state: a=1'], null],
			'an empty one' => $state('', null),
			'commas alone' => $state(', ,,', null),
			'empty members' => $state('a=1,,b=2, ,', 'a=1,b=2'),
			'several headers' => [['tracestate: a=1,b=2', 'tracestate: c=3', 'Tracestate: d=4,e=5'], 'a=1,b=2,c=3,d=4,e=5'],
			'an empty header before' => [['tracestate: ', 'tracestate: a=1'], 'a=1'],
			'an empty header behind' => [['tracestate: a=1', 'tracestate: '], 'a=1'],
			'a key twice' => $state('a=1,a=2,b=3', 'a=1,b=3'),
			'a key in two headers' => [['tracestate: a=1', 'tracestate: a=2'], 'a=1'],
			'every character of a key' => $state("$key=1", "$key=1"),
			'every character of a key with a vendor' => $state("$key@$key=1", "$key@$key=1"),
			'a digit at first' => $state('0a=1', '0a=1'),
			'every character of a value' => $state("a=$value", "a=$value"),
			'blanks within a value' => $state('a=1 2  3', 'a=1 2  3'),
			'blanks around members' => $state("a=1 \t , \t b=2\t,c=3", 'a=1,b=2,c=3'),
			'blanks around all' => $state("\t a=1 \t", 'a=1'),
			'a blank in a key' => $state('a =1', null),
			'a capital in a key' => $state('b=2,A=1', null),
			'a dot in a key' => $state('a.b=1', null),
			'@ at first' => $state('@a=1,b=2', null),
			'_ at first' => $state('_a=1,b=2', null),
			'no key' => $state('=1,b=2', null),
			'no value' => $state('a=,b=2', null),
			'no equals sign' => $state('a,b=2', null),
			'two equals signs' => $state('a=1=2', null),
			'a value with more than ASCII' => $state("a=\xc3\xa9", null),
			'32 members' => $state(self::members(1, 32), self::members(1, 32)),
			'32 members in several headers' => [['tracestate: ' . self::members(1, 10), 'tracestate: ' . self::members(11, 30),
				'tracestate: ' . self::members(31, 32)], self::members(1, 32)],
			'33 members' => $state(self::members(1, 33), null),
			'33 members in two headers' => [['tracestate: ' . self::members(1, 32), 'tracestate: ' . self::members(33, 33)], null],
			'a key of 256' => $state('a=1,' . str_repeat('k', 256) . '=1', 'a=1,' . str_repeat('k', 256) . '=1'),
			'a key of 257' => $state('a=1,' . str_repeat('k', 257) . '=1', null),
			'a value of 256' => $state('a=' . str_repeat('v', 256), 'a=' . str_repeat('v', 256)),
			'a value of 257' => $state('b=2,a=' . str_repeat('v', 257), null),
			'512 bytes' => $state($long('a', 255) . ',' . $long('b', 256), $long('a', 255) . ',' . $long('b', 256)),
			'too long: what is large goes first' => $state($long('a', 100) . ',' . $long('b', 129) . ',' . $long('c', 200)
				. ',' . $long('d', 100), $long('a', 100) . ',' . $long('b', 129) . ',' . $long('d', 100)),
			'too long: then what stands last' => $state(implode(',', array_map(static fn (string $k): string => $long($k, 120),
				['a', 'b', 'c', 'd', 'e'])), implode(',', array_map(static fn (string $k): string => $long($k, 120), ['a', 'b', 'c', 'd']))),
		]);
	}

	/**
	 * What is wrong with a tracestate never invalidates the traceparent.
	 * @dataProvider states
	 * @param list<string> $headers
	 */
	public function testTracestate(string $server, array $headers, ?string $sentOn): void
	{
		$sent = self::ask($server, 'headers', [self::PARENT, ...$headers]);

		[$trace] = self::assertSound($sent);
		self::assertSame(self::TRACE, $trace);
		self::assertSame($sentOn, $sent['tracestate'] ?? null);
	}

	/** @return array<string, array> */
	public function servers(): array
	{
		return self::everywhere(['' => []]);
	}

	/** @dataProvider servers */
	public function testEachCallNamesASpanOfItsOwn(string $server): void
	{
		foreach ([[self::PARENT], [], ['traceparent: 00-' . str_repeat('0', 32) . '-' . self::CALLER . '-01']] as $headers) {
			$calls = array_map(self::assertSound(...), self::ask($server, 'calls', $headers));

			self::assertCount(3, array_unique(array_column($calls, 1)));
			self::assertCount(1, array_unique(array_column($calls, 0)));
			self::assertSame($headers === [self::PARENT], $calls[0][0] === self::TRACE);
		}
	}

	/** @dataProvider servers */
	public function testOfAnUnwantedTraceAllCallsSayTheSame(string $server): void
	{
		$calls = self::ask($server, 'calls', ['traceparent: 00-' . self::IDS . '-00', 'tracestate: a=1']);

		self::assertSame([self::TRACE, '00'], [explode('-', $calls[0]['traceparent'])[1], explode('-', $calls[0]['traceparent'])[3]]);
		self::assertSame([$calls[0], $calls[0], $calls[0]], $calls);
		self::assertSame('a=1', $calls[0]['tracestate']);
	}

	/** @dataProvider servers */
	public function testBaggage(string $server): void
	{
		$members = array_map(static fn (int $i): string => "k$i=v", range(1, 70));
		$sent = self::ask($server, 'headers', ['Baggage: ' . implode(',', $members)]);

		self::assertSame(implode(',', array_slice($members, 0, 64)), $sent['baggage']);
		self::assertSame('a=%20b;p=q, c=3', self::ask($server, 'headers', ['baggage: a=%20b;p=q, c=3'])['baggage']);
		self::assertArrayNotHasKey('baggage', self::ask($server, 'headers', ['baggage: ']));
		self::assertArrayNotHasKey('baggage', self::ask($server, 'headers', ["baggage: a=\xff"]));
	}

	/** What docs/settings.md says of servers that do not join. */
	public function testOfRepeatedHeadersAnOlderNginxHandsOnTheLast(): void
	{
		if (self::nginxJoins()) {
			self::markTestSkipped('this nginx joins repeated headers');
		}
		$sent = self::overHttp(self::$pool->port, 'headers', [self::PARENT, 'traceparent: 00-' . strrev(self::TRACE) . '-'
			. self::CALLER . '-01', 'tracestate: a=1', 'tracestate: b=2']);

		self::assertSame(strrev(self::TRACE), explode('-', $sent['traceparent'])[1]);
		self::assertSame('b=2', $sent['tracestate']);
	}
}
