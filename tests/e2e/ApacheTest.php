<?php

declare(strict_types=1);

namespace Opa\Tests;

/** mod_php in Apache's prefork: each answered request has its trace, once. */
final class ApacheTest extends ServerTestCase
{
	/** Page => spans of its trace, the root's included. */
	private const PAGES = ['plain' => 4, 'nested' => 11, 'uncaught' => 2, 'fatal' => 2, 'exit' => 4, 'fiber' => 4,
		'session' => 3, 'shutdown' => 4, 'destructor' => 5, 'kept' => 3, 'flush' => 3];
	private const FAIL = ['uncaught' => 500, 'fatal' => 500];

	private Apache $apache;

	public static function setUpBeforeClass(): void
	{
		if (Apache::module() === null) {
			self::markTestSkipped("Apache and its module of this PHP are needed: libapache2-mod-php");
		}
	}

	protected function setUp(): void
	{
		self::needRoot(); // for the children's user
		$this->apache = new Apache();
	}

	protected function tearDown(): void
	{
		if (isset($this->apache)) {
			$this->apache->stop();
		}
		parent::tearDown();
	}

	/** @return array<string, string> marker => page, of requests that have been answered as they should be */
	private function visitAll(int $rounds): array
	{
		$sent = $urls = [];
		for ($i = 0; $i < $rounds; $i++) {
			foreach (array_keys(self::PAGES) as $page) {
				$sent[$marker = self::marker()] = $page;
				$urls[$marker] = $this->apache->url($page, "m=$marker");
			}
		}
		$wrong = [];
		(new Client(6))->run($urls, static function ($marker, Answer $answer) use ($sent, &$wrong): void {
			if ($answer->status !== (self::FAIL[$sent[$marker]] ?? 200)) {
				$wrong[] = "$sent[$marker]: status $answer->status, $answer->error";
			}
		});
		self::assertSame([], $wrong, $this->apache->log());
		return $sent;
	}

	/** @param array<string, string> $sent */
	private function assertTraced(array $sent): void
	{
		$found = [];
		self::await(function () use ($sent, &$found): bool {
			$found = array_column($this->apache->store->rows("SELECT json_extract(s.attributes, '$.marker') AS marker,
				t.spans, count(*) AS n FROM spans s JOIN traces t USING (trace_id)
				WHERE json_extract(s.attributes, '$.marker') IS NOT NULL AND t.complete GROUP BY 1"), null, 'marker');
			return array_diff_key($sent, $found) === [];
		}, 'every request has its trace', 60);
		foreach ($sent as $marker => $page) {
			self::assertSame([1, self::PAGES[$page]], [(int) $found[$marker]['n'], (int) $found[$marker]['spans']], $page);
		}
		self::assertStringNotContainsString('exit signal', $this->apache->log());
	}

	public function testEachRequestHasItsTraceOnce(): void
	{
		$this->apache->start();
		$sent = $this->visitAll(40);
		$this->assertTraced($sent);
		$root = $this->apache->store->trace((string) array_key_first($sent));
		self::assertSame(['GET', '/plain.php', 200, 'apache2handler'], [$root->attributes['http.request.method'],
			$root->attributes['url.path'], $root->attributes['http.response.status_code'],
			$root->resource['process.runtime.name']]);
	}

	public function testAGracefulRestartLosesNothing(): void
	{
		$this->apache->start();
		$sent = [];
		for ($i = 0; $i < 4; $i++) {
			$sent += $this->visitAll(6);
			$this->apache->restartGracefully();
			$sent += $this->visitAll(6);
		}
		$this->assertTraced($sent);
	}

	public function testVirtualHostsHaveSettingsOfTheirOwn(): void
	{
		$this->apache->hosts = ['one.test' => ['php_admin_value opa.service_name "one"'],
			'two.test' => ['php_admin_value opa.service_name "two"', 'php_admin_value opa.sample_rate 0'],
			'three.test' => ['php_admin_value opa.service_name "three"']];
		$this->apache->start();
		$sent = [];
		for ($i = 0; $i < 30; $i++) {
			foreach (array_keys($this->apache->hosts) as $host) {
				$sent[$marker = self::marker()] = strtok($host, '.');
				$answer = Client::get($this->apache->url('empty', "m=$marker"), [CURLOPT_HTTPHEADER => ["Host: $host"]]);
				self::assertSame(200, $answer->status);
			}
		}
		$wanted = array_filter($sent, static fn (string $service): bool => $service !== 'two');
		$found = [];
		self::await(function () use ($wanted, &$found): bool {
			$found = array_column($this->apache->store->rows("SELECT json_extract(s.attributes, '$.marker') AS marker,
				r.service FROM spans s JOIN resources r ON r.id = s.resource WHERE s.parent_id IS NULL"), 'service', 'marker');
			return count($found) >= count($wanted);
		}, 'the traces arrive', 30);
		ksort($wanted);
		ksort($found);
		self::assertSame($wanted, $found);
	}
}
