<?php

declare(strict_types=1);

namespace Opa\Tests;

final class ViewerSendTest extends ViewerTestCase
{
	private ?ScriptedCollector $collector = null;

	protected function tearDown(): void
	{
		$this->collector?->stop();
		parent::tearDown();
	}

	public static function setUpBeforeClass(): void
	{
		if (!is_executable(Site::builtModules() . '/opa-exporter')) {
			self::markTestSkipped('opa-exporter is not built');
		}
	}

	/** @param array<string, mixed> $script */
	private function collector(array $script = [], bool $socket = false): ScriptedCollector
	{
		$this->collector = new ScriptedCollector("$this->directory/collector", $socket);
		$this->collector->script($script);
		return $this->collector->start();
	}

	/** A store with so many traces of two spans, `root N` and `child N`, the oldest first. */
	private function store(int $traces): StoreBuilder
	{
		$builder = new StoreBuilder("$this->directory/traces.db");
		$builder->db->beginTransaction();
		for ($i = 0; $i < $traces; $i++) {
			$builder->trace($builder->id(), [['name' => "root $i", 'ms' => 5],
				['name' => "child $i", 'parent' => 'a000000000000000', 'at' => 1, 'ms' => 1]],
				['start' => self::now() - ($traces - $i) * 60_000_000_000]);
		}
		$builder->db->commit();
		return $builder;
	}

	private function send(string ...$arguments): Result
	{
		return self::opa(['send', '--store', $this->directory, '--no-import', ...$arguments],
			['COLUMNS' => '200', 'OPA_EXPORTER' => Site::builtModules() . '/opa-exporter']);
	}

	public function testAllTracesArriveInTheOrderInWhichTheyCame(): void
	{
		$this->store(3);
		$collector = $this->collector();
		$result = $this->send($collector->url());
		$this->assertSame([0, "sent 3 traces, 6 spans to {$collector->url()}\n", ''], [$result->code, $result->out, $result->err]);
		$this->assertSame(['root 0', 'child 0', 'root 1', 'child 1', 'root 2', 'child 2'], $collector->names());
		$this->assertCount(1, $collector->requests());
		$this->assertStringStartsWith('POST /v1/traces HTTP/1.1', $collector->requests()[0]['head']);
	}

	/** Byte for byte, but for the order of fields, what the extension wrote into its journal. */
	public function testSpansAreSentAsTheyWereRecorded(): void
	{
		require_once self::top() . '/tests/utils/trace.inc';
		$script = "$this->directory/script.php";
		file_put_contents($script, <<<'PHP'
			<?php
			$a = opa_start_span("a \u{1F600}", ['s' => 'x', 'empty' => '', 'min' => PHP_INT_MIN, 'max' => PHP_INT_MAX,
				'zero' => 0, 'f' => 1.5, 'whole' => 2.0, 'nan' => NAN, 'inf' => -INF, 't' => true, 'no' => false,
				'list' => [1, 'two', 3.5, [true], []], 'map' => ['a' => 1, 'b' => ['c' => 'd']], '7' => 'seven']);
			opa_add_event($a, 'happened', ['what' => 1, 'so' => true]);
			opa_add_event($a, 'bare');
			opa_add_link($a, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', ['why' => 'because']);
			opa_set_status($a, OPA_STATUS_ERROR, 'it did not work');
			$b = opa_start_span('b', [], $a, OPA_KIND_CLIENT);
			for ($i = 0; $i < 5; $i++) {
				opa_add_tag($b, "tag $i", $i);
			}
			opa_end_span($b);
			opa_end_span($a);
			opa_end_span(opa_start_span(''));
			PHP);
		$spool = "$this->directory/spool";
		$php = self::execute([PHP_BINARY, '-n', '-d', 'extension=' . Site::builtModules() . '/opa.so', '-d', "opa.spool_dir=$spool",
			'-d', "opa.store_path=$this->directory", '-d', 'opa.exporter_path=/nonexistent', '-d', 'opa.max_attributes=14',
			'-d', 'opa.service_name=shop', $script],
			['TRACEPARENT' => '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03', 'TRACESTATE' => 'vendor=a:1']);
		$this->assertSame([0, '', ''], [$php->code, $php->out, $php->err]);
		$recorded = $resources = [];
		foreach (glob("$spool/{live,sealed}/*.j", GLOB_BRACE) as $journal) {
			[$recorded, $resources] = self::ofJournal((string) file_get_contents($journal));
		}
		$this->assertCount(4, $recorded);

		$collector = $this->collector();
		$result = self::opa(['send', $collector->url(), '--spool', $spool],
			['OPA_EXPORTER' => Site::builtModules() . '/opa-exporter']);
		$this->assertSame([0, "sent 1 trace, 4 spans to {$collector->url()}\n", ''], [$result->code, $result->out, $result->err]);
		$sent = $of = $scopes = [];
		foreach ($collector->taken() as $part) {
			$sent = [...$sent, ...array_map(self::canonical(...), $part['spans'])];
			$of[] = $part['resource'];
			$scopes[] = array_column(\opa_test_fields($part['scope']), 1, 0);
		}
		sort($sent);
		sort($recorded);
		$this->assertSame($recorded, $sent);
		$this->assertSame($resources, $of);
		$this->assertSame([[1 => 'opa', 2 => \Opa\Viewer\Application::VERSION]], $scopes);
	}

	/** @return array{list<string>, list<string>} spans and resources of a journal */
	private static function ofJournal(string $bytes): array
	{
		$spans = $resources = [];
		for ($at = 72; $at + 48 <= strlen($bytes); $at += 48 + $record['length']) {
			$record = unpack('Vmagic/Cversion/Ctype/vflags/Vlength', $bytes, $at);
			$payload = substr($bytes, $at + 48, $record['length']);
			if ($record['type'] === 2) {
				$resources[] = $payload;
				continue;
			}
			foreach (\opa_test_fields($payload) as [$number, $field]) {
				$spans = $number === 2 ? [...$spans, self::canonical($field)] : $spans;
			}
		}
		return [$spans, $resources];
	}

	/** A span, and its events, links and status, with their fields in order. */
	private static function canonical(string $message, bool $isSpan = true): string
	{
		$fields = [];
		foreach (\opa_test_fields($message) as $i => [$number, $value]) {
			$nested = $isSpan && in_array($number, [11, 13, 15], true);
			$fields[] = [$number, $i, $nested ? self::canonical($value, false) : bin2hex((string) $value)];
		}
		sort($fields);
		return implode(',', array_map(static fn (array $f): string => "$f[0]=($f[2])", $fields));
	}

	public function testOptionsReachTheCollector(): void
	{
		$this->store(1);
		$collector = $this->collector();
		file_put_contents("$this->directory/headers", "X-From-File: a, b%\n\n");
		$result = $this->send($collector->url() . '/base', '--header', 'api-key=top=secret ü', '--header', "@$this->directory/headers",
			'--compression', 'none');
		$this->assertSame([0, ''], [$result->code, $result->err]);
		$head = $collector->requests()[0]['head'] . "\r\n";
		$this->assertStringContainsString("\r\napi-key: top=secret ü\r\n", $head);
		$this->assertStringContainsString("\r\nX-From-File: a, b%\r\n", $head);
		$this->assertStringContainsString('POST /base/v1/traces ', $head);
		$this->assertStringNotContainsString('Content-Encoding', $head);
	}

	public function testASocketIsSpokenToAsWell(): void
	{
		$this->store(1);
		$collector = $this->collector([], true);
		$this->assertSame("sent 1 trace, 2 spans to {$collector->url()}\n", $this->send($collector->url())->out);
		$this->assertSame(['root 0', 'child 0'], $collector->names());
	}

	public function testWhatIsSentCanBeChosen(): void
	{
		$this->store(5);
		$collector = $this->collector();
		$this->send($collector->url(), '--limit', '2');
		$this->assertSame(['root 3', 'child 3', 'root 4', 'child 4'], $collector->names());
		$this->send($collector->url(), '--since', '90s');
		$this->assertSame(['root 4', 'child 4'], array_slice($collector->names(), 4));
		$result = $this->send($collector->url(), '--name', 'nothing');
		$this->assertSame([0, "opa: no trace matches\n"], [$result->code, $result->err]);
		$this->assertCount(2, $collector->requests());
	}

	public function testADryRunSendsNothingAndHidesSecrets(): void
	{
		$this->store(2);
		$collector = $this->collector();
		$url = str_replace('http://', 'http://me:topsecret@', $collector->url()) . '/?key=topsecret';
		$result = $this->send($url, '--header', 'api-key=topsecret', '--dry-run');
		$this->assertSame([0, ''], [$result->code, $result->err]);
		$this->assertStringStartsWith('would send 2 traces, 4 spans to http://REDACTED@127.0.0.1', $result->out);
		$this->assertStringContainsString('  with api-key: REDACTED', $result->out);
		$this->assertStringNotContainsString('topsecret', $result->out);
		$facts = $this->send($url, '--header', 'api-key=topsecret', '--dry-run', '--json');
		$this->assertSame([2, 4, ['api-key: REDACTED']], [$facts->objects()[0]['traces'], $facts->objects()[0]['spans'],
			$facts->objects()[0]['headers']]);
		$this->assertStringNotContainsString('topsecret', $facts->out);
		$this->assertSame([], $collector->requests());
	}

	/** Of a trace of 200 spans only the record with the bad one is passed over, and the traces around it arrive. */
	public function testASpanThatTheCollectorRefuses(): void
	{
		$builder = $this->store(2);
		$spans = [['name' => 'large', 'ms' => 1]];
		for ($i = 1; $i < 200; $i++) {
			$spans[] = ['name' => $i === 150 ? 'the bad one' : "part $i", 'parent' => 'a000000000000000', 'ms' => 1];
		}
		$builder->trace($builder->id(), $spans);
		$builder->trace($builder->id(), [['name' => 'last', 'ms' => 1]]);
		$collector = $this->collector(['poison' => bin2hex('the bad one')]);
		$result = $this->send($collector->url(), '--json');
		$facts = $result->objects()[0];
		$this->assertSame(1, $result->code);
		$this->assertSame(['sent' => 3, 'incomplete' => 1, 'not_sent' => 0], $facts['traces']);
		$this->assertSame(['sent' => 141, 'rejected' => 0, 'dropped' => 64, 'not_sent' => 0], $facts['spans']);
		$this->assertNull($facts['problem']);
		$this->assertSame("opa: refused, and passed over: it answers 400\n", $result->err);
		$names = $collector->names();
		$this->assertCount(141, $names);
		$this->assertContains('last', $names);
		$this->assertNotContains('the bad one', $names);
		$text = $this->send($collector->url())->out;
		$this->assertStringContainsString("sent 4 traces, 141 spans\n", str_replace(" to {$collector->url()}", '', $text));
		$this->assertStringContainsString('passed over 64 spans of 1 trace, which the collector refused', $text);
	}

	public function testACollectorThatRefusesEndsIt(): void
	{
		$this->store(2000);
		$collector = $this->collector(['always' => ['status' => 401]]);
		$result = $this->send($collector->url(), '--header', 'api-key=topsecret');
		$this->assertSame(1, $result->code);
		$this->assertStringContainsString('not sent 2,000 traces, 4,000 spans: it answers 401 '
			. '(credentials are missing or wrong: --header)', $result->out);
		$this->assertStringContainsString('run again, all of it is sent again', $result->err);
		$this->assertCount(1, $collector->requests());
		$this->assertStringNotContainsString('topsecret', $result->out . $result->err);
	}

	public function testOneThatIsBusyIsAskedAgainAndSaysSo(): void
	{
		$this->store(3);
		$collector = $this->collector(['steps' => [['status' => 503]]]);
		$result = $this->send($collector->url());
		$this->assertSame(0, $result->code);
		$this->assertSame("opa: it answers 503; trying again in 1 s\n", $result->err);
		$this->assertSame([503, 200], array_column($collector->requests(), 'status'));
		$this->assertCount(6, $collector->names());
	}

	public function testOneThatIsAwayIsGivenUp(): void
	{
		$this->store(3);
		$port = Site::freePort();
		$result = $this->send("http://127.0.0.1:$port", '--wait', '0s');
		$this->assertSame(1, $result->code);
		$this->assertSame("sent 0 traces, 0 spans to http://127.0.0.1:$port\n"
			. "not sent 3 traces, 6 spans: no connection: Connection refused\n", $result->out);
		$this->assertStringNotContainsString("trying again", $result->err);
	}

	public function testWhatItRejectsIsCounted(): void
	{
		$this->store(1);
		$collector = $this->collector(['always' => ['head' => "Content-Type: application/x-protobuf\r\n",
			'body' => "\x0a\x08\x08\x02\x12\x04late"]]);
		$result = $this->send($collector->url());
		$this->assertSame(1, $result->code);
		$this->assertStringContainsString('rejected 2 spans by the collector', $result->out);
		$this->assertSame("opa: it rejected 2 spans: late\n", $result->err);
	}

	public function testWhenItIsInterruptedItSaysWhatWasSent(): void
	{
		if (!function_exists('pcntl_async_signals')) {
			$this->markTestSkipped('needs pcntl');
		}
		$this->store(6000);
		$collector = $this->collector(['steps' => [[]], 'always' => ['hang' => true]]);
		$process = proc_open([...self::command(), 'send', $collector->url(), '--store', $this->directory, '--no-import', '--json'],
			[['file', '/dev/null', 'r'], ['file', "$this->directory/out", 'w'], ['file', "$this->directory/err", 'w']], $pipes, null,
			['PATH' => getenv('PATH'), 'OPA_EXPORTER' => Site::builtModules() . '/opa-exporter']);
		self::await(static fn (): bool => count($collector->requests()) === 2, 'the second request is under way');
		proc_terminate($process, SIGINT);
		self::await(function () use ($process, &$status): bool {
			$status = proc_get_status($process);
			return !$status['running'];
		}, 'it ends');
		$this->assertSame(1, $status['exitcode']);
		$facts = json_decode((string) file_get_contents("$this->directory/out"), true, 512, JSON_THROW_ON_ERROR);
		$this->assertSame('interrupted', $facts['problem']);
		$this->assertGreaterThan(100, $facts['traces']['sent']);
		$this->assertSame(6000, $facts['traces']['sent'] + $facts['traces']['not_sent']);
		$this->assertSame(2 * $facts['traces']['sent'], $facts['spans']['sent']);
		$this->assertSame(12000, $facts['spans']['sent'] + $facts['spans']['not_sent']);
	}

	/** @dataProvider wrong */
	public function testWhatIsWrongIsSaidWithoutASecret(string $expected, string ...$arguments): void
	{
		$this->store(1);
		$result = $this->send(...$arguments);
		$this->assertSame(2, $result->code, $result->err);
		$this->assertStringContainsString($expected, $result->err);
		$this->assertStringNotContainsString('topsecret', $result->out . $result->err);
	}

	public static function wrong(): array
	{
		return [
			['where to?'],
			['the endpoint is no URL', 'collector:4318'],
			['the endpoint is no URL', 'ftp://me:topsecret@collector'],
			['a header is NAME=VALUE', 'http://c', '--header', 'topsecret'],
			['a header is NAME=VALUE', 'http://c', '--header', "a=topsecret\r\nb: c"],
			['--compression', 'http://c', '--compression', 'zstd'],
			['--timeout', 'http://c', '--timeout', '1ms'],
			['--wait', 'http://c', '--wait', 'long'],
		];
	}

	/** Root, who may read them, is shown the command without the header's value. */
	public function testACommandThatIsPrintedHasNoSecret(): void
	{
		mkdir("$this->directory/closed", 0755);
		$builder = new StoreBuilder("$this->directory/closed/traces.db");
		unset($builder);
		if (posix_geteuid() !== 0) {
			$this->markTestSkipped('needs root, to be another user');
		}
		chmod("$this->directory/closed/traces.db", 0600);
		$result = self::execute(['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', ...self::command(), 'send',
			'http://me:topsecret@collector', '--header', 'api-key=topsecret', '--header=other=topsecret', '--no-import',
			'--store', "$this->directory/closed"]);
		$this->assertSame(1, $result->code);
		$this->assertStringContainsString("opa send http://REDACTED@collector --header api-key=REDACTED"
			. ' --header=other=REDACTED', $result->err);
		$this->assertStringNotContainsString('topsecret', $result->err);
	}
}
