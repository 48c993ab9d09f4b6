<?php

declare(strict_types=1);

namespace Opa\Tests;

/** What a real OpenTelemetry Collector gets of what PHP did. */
final class CollectorTest extends CollectorTestCase
{
	public function testEverySpanArrivesAsItWasMade(): void
	{
		$collector = $this->collector();
		$pool = new Pool('www');
		$pool->env = ['OTEL_EXPORTER_OTLP_ENDPOINT' => $collector->url(), 'OTEL_SERVICE_NAME' => 'shop'];
		$this->site($pool)->start();

		$marker = self::marker();
		$answer = Client::get($pool->url('everything', "m=$marker&a=b"), [CURLOPT_USERAGENT => 'the test']);
		$page = json_decode($answer->body, true, 512, JSON_THROW_ON_ERROR);
		$trace = self::arrived($collector, $marker);

		self::assertCount(1 + count($page['did']), $trace);
		foreach ($page['did'] as $id => $did) {
			self::assertSpan($page['trace'], (string) $id, $did, $trace[$id]);
		}
		self::assertRoot($page, $pool, $marker, $trace[$page['root']]);
		foreach ($trace as $span) {
			self::assertSame(['name' => 'opa', 'version' => self::status($pool)['version']], $span['scope']);
			self::assertSame('shop', $span['resource']['service.name']);
			self::assertSame(['opa', 'php', $page['pid'], $page['sapi'], $page['version']], [
				$span['resource']['telemetry.sdk.name'], $span['resource']['telemetry.sdk.language'],
				$span['resource']['process.pid'], $span['resource']['process.runtime.name'],
				$span['resource']['process.runtime.version']]);
		}
		self::assertFileDoesNotExist($pool->store);
		self::assertSame("{$collector->url()}/v1/traces", self::status($pool)['exporter']['destination']);
	}

	/** Who begins without a collector sends later what the store has got. */
	public function testWhatTheStoreHoldsIsSentLater(): void
	{
		$collector = $this->collector();
		$pool = new Pool('www');
		$pool->env = ['OTEL_SERVICE_NAME' => 'shop'];
		$site = $this->site($pool);
		$site->start();

		$marker = self::marker();
		$page = json_decode(Client::get($pool->url('everything', "m=$marker&a=b"), [CURLOPT_USERAGENT => 'the test'])->body,
			true, 512, JSON_THROW_ON_ERROR);
		self::trace($pool, $marker);
		[$code, $said] = self::runToEnd(self::asUser($pool, PHP_BINARY, dirname(__DIR__, 2) . '/viewer/main.php', 'send',
			$collector->url(), '--spool', $pool->spool), ['HOME' => '/nonexistent', 'OPA_EXPORTER' => "$site->modules/opa-exporter"]);
		self::assertSame(0, $code, $said);
		$trace = self::arrived($collector, $marker, 1 + count($page['did']));

		self::assertCount(1 + count($page['did']), $trace);
		foreach ($page['did'] as $id => $did) {
			self::assertSpan($page['trace'], (string) $id, $did, $trace[$id]);
		}
		self::assertRoot($page, $pool, $marker, $trace[$page['root']]);
		foreach ($trace as $span) {
			self::assertSame(['name' => 'opa', 'version' => self::status($pool)['version']], $span['scope']);
			self::assertSame(['shop', 'opa', $page['pid'], $page['version']], [$span['resource']['service.name'],
				$span['resource']['telemetry.sdk.name'], $span['resource']['process.pid'], $span['resource']['process.runtime.version']]);
		}
	}

	public function testAStoreIsSentToACollectorWithACaOfItsOwn(): void
	{
		[$ca, $server, $client] = [$this->certificate('send-ca'), $this->certificate('127.0.0.1', 'send-ca'), $this->certificate('sender', 'send-ca')];
		$collector = $this->collector(['cert_file' => "$server.pem", 'key_file' => "$server.key", 'client_ca_file' => "$ca.pem"]);
		$builder = new StoreBuilder("$collector->directory/traces.db");
		$builder->trace($id = $builder->id(), [['name' => 'root', 'tags' => ['marker' => 'over TLS']]]);
		$send = [PHP_BINARY, dirname(__DIR__, 2) . '/viewer/main.php', 'send', $collector->url(), '--store', $builder->path, '--no-import', '--wait', '0s'];
		$env = ['OPA_EXPORTER' => Site::builtModules() . '/opa-exporter', 'COLUMNS' => '300'];

		[$code, $said] = self::runToEnd($send, $env);
		self::assertSame(1, $code);
		self::assertStringContainsString('not sent 1 trace, 1 span: TLS: its certificate is not trusted (--ca-file)', $said);
		[$code, $said] = self::runToEnd([...$send, '--ca-file', "$ca.pem"], $env);
		self::assertSame(1, $code);
		self::assertStringContainsString('not sent 1 trace, 1 span: ', $said); // its words depend on which side is faster
		[$code, $said] = self::runToEnd([...$send, '--ca-file', "$ca.pem", '--cert-file', "$client.pem", '--key-file', "$client.key"], $env);
		self::assertSame(0, $code, $said);
		self::assertSame([$id], array_column(self::arrived($collector, 'over TLS'), 'traceId'));
		self::assertCount(1, $collector->spans());
	}

	/** The question whether it takes any, which leaves nothing there. */
	public function testACheckIsTakenAndLeavesNothing(): void
	{
		$collector = $this->collector();
		$exporter = Site::builtModules() . '/opa-exporter';
		foreach (['gzip', 'none'] as $compression) {
			[$code, $said] = self::runToEnd(['sh', '-c', 'printf "url=%s\ncompression=%s\n" "$1" "$2" | "$0" --check', $exporter,
				$collector->url(), $compression]);
			self::assertSame(0, $code, $said);
			self::assertStringContainsString("verdict=taken\nstatus=200\n", $said);
		}
		self::assertSame([], $collector->spans());
	}

	/** @param array<string, mixed> $did what the page says */
	private static function assertSpan(string $traceId, string $id, array $did, array $span): void
	{
		self::assertSame([$traceId, $id, $did['parent'], $did['name']],
			[$span['traceId'], $span['spanId'], $span['parentSpanId'], $span['name']]);
		self::assertSame($did['kind'], $span['kind'] ?? 0, $did['name']);
		self::assertSame($did['tags'], $span['attributes'], $did['name']);
		self::assertSame([$did['status'], $did['message'] ?? ''],
			[$span['status']['code'] ?? 0, $span['status']['message'] ?? '']);
		self::assertGreaterThanOrEqual((int) $span['startTimeUnixNano'], (int) $span['endTimeUnixNano']);
		self::assertLessThan(60, abs(time() - (int) $span['startTimeUnixNano'] / 1e9));
		self::assertSame($did['events'], array_map(static fn (array $e): array
			=> ['name' => $e['name'], 'tags' => Collector::attributes($e)], $span['events'] ?? []));
		self::assertSame($did['links'], array_map(static fn (array $l): array
			=> ['traceId' => $l['traceId'], 'spanId' => $l['spanId'], 'tags' => Collector::attributes($l)],
			$span['links'] ?? []));
		self::assertSame([0, 0, 0], [$span['droppedAttributesCount'] ?? 0, $span['droppedEventsCount'] ?? 0,
			$span['droppedLinksCount'] ?? 0]);
	}

	/** @param array<string, mixed> $page */
	private static function assertRoot(array $page, Pool $pool, string $marker, array $root): void
	{
		$attributes = $root['attributes'];
		self::assertSame([$page['trace'], '', 'GET', 2],
			[$root['traceId'], $root['parentSpanId'] ?? '', $root['name'], $root['kind']]);
		$expected = ['marker' => $marker, 'http.request.method' => 'GET', 'url.path' => '/everything.php',
			'url.query' => "m=$marker&a=b", 'url.scheme' => 'http', 'http.response.status_code' => 200,
			'user_agent.original' => 'the test', 'server.address' => '127.0.0.1', 'server.port' => $pool->port,
			'client.address' => '127.0.0.1'];
		self::assertEquals($expected, array_intersect_key($attributes, $expected));
	}

	/** Nobody waits for it, all of it waits, and arrives in order when it is back. */
	public function testACollectorThatIsAwayForAWhile(): void
	{
		$collector = $this->collector();
		[$site, $pool] = $this->sendingTo($collector, ['pm.max_children' => '2']);
		$markers = [self::visit($pool, 'nested')];
		self::arrived($collector, $markers[0], 11);
		$collector->stop();

		for ($i = 0; $i < 60; $i++) {
			$markers[] = self::visit($pool, 'nested');
		}
		self::await(static fn (): bool => str_contains($pool->state()['problem'] ?? '', 'Connection refused'), 'state says why', 20);
		$status = self::status($pool);
		self::assertStringContainsString("{$collector->url()}/v1/traces: no connection: Connection refused", $status['problem']);
		self::assertGreaterThan(1000, (int) $status['exporter']['state']['waiting']);
		self::assertGreaterThan(0, (int) $status['exporter']['state']['last_success']);
		self::assertSame(0, $status['counters']['spans_dropped_spool_full']);

		$collector->start();
		$marker = self::visit($pool, 'nested');
		self::arrived($collector, $marker, 11, 60);
		$markers[] = $marker;
		self::assertEquals(array_fill_keys($markers, 1), array_intersect_key($collector->markers(), array_flip($markers)));
		self::await(static fn (): bool => !isset($pool->state()['problem']), 'the problem is over', 20);
		self::assertSame('', self::status($pool)['problem']);
		self::assertInOrder($collector);
	}

	public function testAWorkerThatIsKilledRightAfterItsAnswer(): void
	{
		$collector = $this->collector();
		[, $pool] = $this->sendingTo($collector, ['pm.max_children' => '2']);
		$markers = [];
		for ($i = 0; $i < 15; $i++) {
			$markers[] = $marker = self::marker();
			$answer = Client::get($pool->url('nested', "m=$marker"));
			self::assertSame('nested', $answer->body);
			self::assertTrue(posix_kill($answer->pid(), SIGKILL));
			self::await(static fn (): bool => in_array(Processes::state($answer->pid()), ['', 'Z'], true), 'it is dead');
		}
		foreach ($markers as $marker) {
			self::assertCount(11, self::arrived($collector, $marker, 11));
		}
		// There is no store to add them up: what the dead have counted stays in the spool.
		self::await(static fn (): bool => (self::opaStatus($pool)['counters']['traces_kept'] ?? 0) >= 15, 'the counters of the dead are there');
		self::assertFileDoesNotExist($pool->store);
	}

	/** Workers, then the exporter: what it could not send in time goes out with the next one. */
	public function testAllArrivesWhenEverythingIsStoppedWithDataInFlight(): void
	{
		$collector = $this->collector();
		[$site, $pool] = $this->sendingTo($collector, ['pm.max_children' => '4', 'pm.max_requests' => '7'], ['opa.linger' => '3s']);
		$urls = [];
		for ($i = 0; $i < 300; $i++) {
			$urls[$marker = self::marker()] = $pool->url('nested', "m=$marker");
		}
		(new Client(8))->run($urls, static function (string $marker, Answer $answer): void {
			self::assertTrue($answer->isComplete(), $marker);
		});
		$site->stopFpm(SIGTERM);
		foreach (Processes::exporters($site->directory) as $pid) {
			posix_kill($pid, SIGTERM);
			self::await(static fn (): bool => in_array(Processes::state($pid), ['', 'Z'], true), 'the exporter leaves', 15);
		}
		self::bringIn($site, $pool);

		self::assertSame(0, $pool->journals());
		self::await(static fn (): bool => count($collector->markers()) === 300, 'all arrive');
		self::assertEquals(array_fill_keys(array_keys($urls), 1), $collector->markers());
		self::assertCount(300 * 11, $collector->spans());
	}

	public function testShortScriptsByTheDozen(): void
	{
		$collector = $this->collector();
		$pool = new Pool('cli', 'root');
		$site = $this->site($pool);
		$script = "$site->directory/script.php";
		file_put_contents($script, '<?php opa_add_tag(opa_root_span(), "marker", $argv[1]); opa_end_span(opa_start_span("work"));');
		$running = $expected = [];
		for ($i = 0; $i < 60; $i++) {
			$expected["script $i"] = 1;
			$running[] = proc_open([PHP_BINARY, '-n', '-d', "extension=$site->modules/opa.so", '-d', "opa.spool_dir=$pool->spool",
				'-d', "opa.endpoint={$collector->url()}", '-d', 'opa.linger=100ms', $script, "script $i"],
				[['file', '/dev/null', 'r']], $pipes, $site->directory);
			while (count($running) >= 12) {
				self::assertSame(0, proc_close(array_shift($running)));
			}
		}
		foreach ($running as $process) {
			self::assertSame(0, proc_close($process));
		}
		self::await(static fn (): bool => count($collector->markers()) === 60, 'all arrive', 30);
		self::assertEquals($expected, $collector->markers());
		self::assertCount(120, $collector->spans());
		self::assertCount(1, Processes::exporters($site->directory));
	}

	/** All of them at once, then as they come. */
	public function testTwoHundredWorkersHaveOneConnection(): void
	{
		$collector = $this->collector();
		[$site, $pool] = $this->sendingTo($collector, ['pm.max_children' => '200'], ['opa.linger' => '20ms']);
		$until = urlencode("$site->directory/tmp/go");
		$urls = $pids = [];
		for ($i = 0; $i < 1000; $i++) {
			$marker = self::marker();
			$urls[$marker] = $i < 200 ? $pool->url('waiting', "m=$marker&n=200&until=$until") : $pool->url('plain', "m=$marker");
		}
		$most = 0;
		(new Client(200))->run($urls, static function (string $marker, Answer $answer) use (&$most, &$pids, $collector): void {
			self::assertTrue($answer->isComplete());
			$pids[$answer->pid()] = true;
			$most = max($most, self::connectionsTo($collector->port));
		});
		self::assertCount(200, $pids, 'workers that took part');
		self::await(static fn (): bool => count($collector->markers()) === 1000, 'all arrive', 30);
		self::assertEquals(array_fill_keys(array_keys($urls), 1), $collector->markers());
		self::assertSame(1, $most, 'connections at one time');
		self::assertCount(1, Processes::exporters($site->directory));
	}

	public function testACertificateOfACaThatIsNotTheSystems(): void
	{
		[$ca, $server, $client, $other] = [$this->certificate('ca'), $this->certificate('127.0.0.1', 'ca'),
			$this->certificate('client', 'ca'), $this->certificate('other')];
		$collector = $this->collector(['cert_file' => "$server.pem", 'key_file' => "$server.key", 'client_ca_file' => "$ca.pem"]);
		$good = new Pool('good');
		$untrusting = new Pool('untrusting');
		$unknown = new Pool('unknown');
		$settings = ['opa.endpoint' => $collector->url(), 'opa.linger' => '0', 'opa.ca_file' => "$ca.pem",
			'opa.cert_file' => "$client.pem", 'opa.key_file' => "$client.key"];
		$good->settings = $settings;
		$untrusting->settings = ['opa.ca_file' => "$other.pem"] + $settings;
		$unknown->settings = ['opa.cert_file' => '', 'opa.key_file' => ''] + $settings;
		$this->site($good, $untrusting, $unknown)->start();

		$marker = self::visit($good, 'nested');
		self::visit($untrusting, 'nested');
		self::visit($unknown, 'nested');
		self::assertCount(11, self::arrived($collector, $marker, 11));
		self::await(static fn (): bool => str_contains($untrusting->state()['problem'] ?? '', 'TLS: its certificate is not trusted (opa.ca_file)'), 'untrusting says so', 20);
		self::await(static fn (): bool => str_contains($unknown->state()['problem'] ?? '', 'certificate required'), 'unknown says so', 20);
		self::assertGreaterThan(0, $untrusting->journals());
		self::assertGreaterThan(0, $unknown->journals());
		self::assertSame([$marker => 1], $collector->markers());
	}

	public function testAWrongPathIsSaidAndWhatItLosesIsCounted(): void
	{
		$collector = $this->collector();
		$pool = new Pool('www');
		$pool->env = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT' => "{$collector->url()}/v2/traces"];
		$pool->settings = ['opa.linger' => '0', 'opa.headers' => 'api-key=topsecret'];
		$site = $this->site($pool);
		$site->start();

		self::visit($pool, 'nested');
		self::await(static fn (): bool => isset($pool->state()['problem']), 'state says it', 20);
		$problem = self::status($pool)['problem'];
		self::assertStringContainsString("{$collector->url()}/v2/traces: traces are dropped: it answers 404 (wrong path?", $problem);
		self::await(static fn (): bool => (self::opaStatus($pool)['losses']['collector_spans_dropped_refused'] ?? 0) >= 11, 'opa status counts it');
		[, $text] = self::opa($pool, 'status');
		self::assertStringContainsString('404', $text);
		self::assertStringContainsString("Collector  {$collector->url()}/v2/traces", $text);
		self::assertStringNotContainsString('topsecret', $text . $problem . file_get_contents("$pool->spool/state")
			. Client::get($pool->url('status', 'm=x'))->body . $site->phpLog());
		foreach (glob("$pool->spool/dest/*") as $file) {
			self::assertSame(0600, fileperms($file) & 0777);
		}
	}

	public function testTheExampleOfAConfigurationIsOne(): void
	{
		$config = dirname(__DIR__, 2) . '/examples/collector/otelcol.yaml';
		[$code, $said] = self::runToEnd([Collector::binary(), 'validate', '--config', $config], ['BACKEND' => '127.0.0.1:4317']);
		self::assertSame(0, $code, $said);
	}
}
