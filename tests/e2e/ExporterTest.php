<?php

declare(strict_types=1);

namespace Opa\Tests;

/** The exporter that PHP-FPM's workers start, and what happens when they cannot. */
final class ExporterTest extends ServerTestCase
{
	private Pool $pool;
	private Site $site;

	protected function setUp(): void
	{
		$this->pool = new Pool('www');
		$this->site = $this->site($this->pool);
	}

	/** @return list<int> pids */
	private function exporters(): array
	{
		return Processes::exporters($this->pool->spool);
	}

	private function opaStatus(): string
	{
		[, $said] = self::runToEnd([PHP_BINARY, '-n', ...self::viewerExtensions(), dirname(__DIR__, 2) . '/viewer/main.php',
			'status', '--user', $this->pool->user, '--spool', $this->pool->spool, '--no-import'],
			['OPA_EXPORTER' => "{$this->site->modules}/opa-exporter", 'HOME' => '/nonexistent']);
		return $said;
	}

	/** @return list<string> */
	private static function viewerExtensions(): array
	{
		$options = [];
		foreach (['pdo', 'pdo_sqlite', 'posix', 'ctype'] as $name) {
			if (is_file(PHP_EXTENSION_DIR . "/$name.so")) {
				array_push($options, '-d', "extension=$name.so");
			}
		}
		return $options;
	}

	public function testTwoHundredWorkersAtOnceStartOne(): void
	{
		$this->pool->directives['pm.max_children'] = '200';
		$this->site->start();
		$until = urlencode("{$this->site->directory}/tmp/go");
		$markers = $urls = $pids = [];
		for ($i = 0; $i < 200; $i++) {
			$markers[] = $marker = self::marker();
			$urls[] = $this->pool->url('waiting', "m=$marker&n=200&until=$until");
		}
		$most = 0;
		(new Client(200))->run($urls, function ($key, Answer $answer) use (&$pids, &$most): void {
			$pids[$answer->pid()] = true;
			$most = max($most, count($this->exporters()));
		});

		self::assertCount(200, $pids, 'workers that took part');
		self::assertSame(1, $most, 'exporters at one time');
		foreach ($markers as $marker) {
			self::trace($this->pool, $marker);
		}
		self::assertCount(1, $this->exporters());
	}

	public function testTwoHundredScriptsAtOnceStartOne(): void
	{
		$gate = "{$this->site->directory}/tmp/go";
		$script = "{$this->site->directory}/tmp/script.php";
		file_put_contents($script, '<?php while (!is_file($argv[1])) { usleep(1000); clearstatcache(); }
			opa_add_tag(opa_root_span(), "marker", $argv[2]);');
		$processes = [];
		for ($i = 0; $i < 200; $i++) {
			$processes[] = proc_open([...self::asUser($this->pool, PHP_BINARY), '-n',
				'-d', "extension={$this->site->modules}/opa.so", '-d', "opa.spool_dir={$this->pool->spool}",
				'-d', "opa.store_path={$this->pool->store}", $script, $gate, "script-$i"],
				[['file', '/dev/null', 'r'], ['file', '/dev/null', 'w'], ['file', '/dev/null', 'w']], $pipes, '/',
				['PATH' => '/usr/bin:/bin', 'HOME' => '/nonexistent']);
		}
		touch($gate);
		$most = 0;
		foreach ($processes as $process) {
			while (proc_get_status($process)['running']) {
				$most = max($most, count($this->exporters()));
				usleep(1000);
			}
			proc_close($process);
		}

		self::await(fn (): bool => count($this->pool->store()->markers()) === 200, '200 traces arrive', 20);
		self::assertLessThanOrEqual(1, $most, 'exporters at one time');
		self::assertCount(1, $this->exporters());
	}

	public function testUnderFpmAsTheFirstProcessNoZombieStays(): void
	{
		self::needRoot();
		if (self::runToEnd(['unshare', '--pid', '--fork', '--mount-proc', 'true'])[0] !== 0) {
			self::markTestSkipped('pid namespaces are not allowed here');
		}
		$this->site->wrapper = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child=SIGKILL'];
		$this->site->start();
		$fpm = $this->site->fpmPid();
		self::assertMatchesRegularExpression('/^NSpid:\s+\d+\s+1$/m', file_get_contents("/proc/$fpm/status"));

		self::trace($this->pool, self::visit($this->pool, 'plain'));
		[$first] = $this->exporters();
		self::assertSame($fpm, Processes::parent($first), 'FPM is its parent, as process 1');
		self::assertSame([], Processes::zombies($fpm));
		posix_kill($first, SIGKILL);
		self::await(static fn (): bool => Processes::state($first) === '', 'it is reaped');
		self::await(function (): bool {
			self::visit($this->pool, 'plain');
			return $this->exporters() !== [];
		}, 'another one is started');

		self::trace($this->pool, self::visit($this->pool, 'plain'));
		self::assertSame([], Processes::zombies($fpm));
	}

	public function testAKilledExporterIsReplacedAndNothingIsLostOrDoubled(): void
	{
		$this->pool->directives['pm.max_children'] = '4';
		$this->site->start();
		$expected = $killed = [];
		for ($round = 0; $round < 4; $round++) {
			$urls = [];
			for ($i = 0; $i < 100; $i++) {
				$urls[$marker = self::marker()] = $this->pool->url('nested', "m=$marker");
				$expected[$marker] = [['spans' => 11, 'rows' => 11, 'complete' => 1, 'foreign' => 0]];
			}
			$ended = 0;
			(new Client(4))->run($urls, function () use (&$ended, &$killed): void {
				if (++$ended === 50) {
					foreach ($this->exporters() as $pid) {
						posix_kill($killed[] = $pid, SIGKILL);
					}
				}
			});
			self::await(function () use (&$expected, &$killed): bool {
				$marker = self::visit($this->pool, 'empty');
				$expected[$marker] = [['spans' => 1, 'rows' => 1, 'complete' => 1, 'foreign' => 0]];
				return array_diff($this->exporters(), $killed) !== [];
			}, 'there is another exporter');
		}

		$store = $this->pool->store();
		self::await(static fn (): bool => count($store->markers()) === count($expected), 'all arrive', 20);
		self::assertEquals($expected, $store->markers());
	}

	public function testASpoolThatIsRemovedBeneathLiveWorkers(): void
	{
		$this->site->start();
		self::trace($this->pool, self::visit($this->pool, 'plain'));
		self::assertSame(0, self::status($this->pool)['counters']['journals_lost']);
		$old = $this->exporters();

		Site::remove($this->pool->spool);
		$marker = null;
		self::await(function () use (&$marker): bool {
			$marker = self::visit($this->pool, 'plain');
			return is_dir($this->pool->spool);
		}, 'a new spool is made');

		self::trace($this->pool, self::visit($this->pool, 'plain'));
		self::assertSame(1, self::status($this->pool)['counters']['journals_lost']);
		self::await(fn (): bool => array_intersect($old, $this->exporters()) === [], 'its exporter leaves');
	}

	public function testJournalsThatAreRemovedBeneathLiveWorkers(): void
	{
		$this->site->start();
		self::trace($this->pool, self::visit($this->pool, 'plain'));

		array_map('unlink', glob("{$this->pool->spool}/live/*.j"));

		self::trace($this->pool, self::visit($this->pool, 'plain'));
		self::assertSame(1, self::status($this->pool)['counters']['journals_lost']);
	}

	public function testAMissingExporterIsNamedAndWhenItIsThereEverythingArrives(): void
	{
		rename("{$this->site->modules}/opa-exporter", "{$this->site->modules}/elsewhere");
		$this->site->start();
		$markers = [self::visit($this->pool, 'plain'), self::visit($this->pool, 'uncaught')];

		self::assertStringContainsString('opa-exporter', self::status($this->pool)['problem']);
		self::assertSame([], $this->exporters());
		self::assertGreaterThan(0, $this->pool->journals());

		rename("{$this->site->modules}/elsewhere", "{$this->site->modules}/opa-exporter");
		self::await(function () use (&$markers): bool {
			$markers[] = self::visit($this->pool, 'empty');
			return $this->exporters() !== [];
		}, 'a request starts it');
		foreach ($markers as $marker) {
			self::trace($this->pool, $marker);
		}
		self::assertSame('', self::status($this->pool)['problem']);
	}

	public function testAnExporterThatMayNotBeExecuted(): void
	{
		chmod("{$this->site->modules}/opa-exporter", 0644);
		$this->site->start();
		$marker = self::visit($this->pool, 'plain');

		$status = self::status($this->pool);
		self::assertStringContainsString('Permission denied', $status['problem']);
		self::assertGreaterThan(0, $status['counters']['exporter_failed']);
		chmod("{$this->site->modules}/opa-exporter", 0755);
		self::assertStringContainsString('could not be started', $this->opaStatus());

		self::await(function (): bool {
			self::visit($this->pool, 'empty');
			return $this->exporters() !== [];
		}, 'a request starts it');
		self::trace($this->pool, $marker);
	}

	public function testAnExporterThatIsNoProgram(): void
	{
		file_put_contents("{$this->site->modules}/opa-exporter", "\x7fELF and then nothing\n");
		$this->site->start();
		self::visit($this->pool, 'plain');

		self::await(fn (): bool => str_contains(self::status($this->pool)['problem'], 'opa-exporter'),
			'opa_status() names it');
		self::assertSame([], $this->exporters());
		self::visit($this->pool, 'plain');
	}

	/** @return array<string, array{string, string, string}> what a seccomp filter does at execve, and what is said of it */
	public function filters(): array
	{
		return [
			'that answers with an error' => ['error', 'Operation not permitted', 'could not be started'],
			'that kills' => ['kill', 'ends as soon as it is started', 'ends as soon as it is started'],
		];
	}

	/** @dataProvider filters */
	public function testUnderASeccompFilterJournalsWaitAndEverythingSaysSo(string $how, string $why, string $viewer): void
	{
		$filter = "{$this->site->directory}/tmp/refuse_exec.so";
		[$code, $said] = self::runToEnd(['cc', '-shared', '-fPIC', '-o', $filter,
			dirname(__DIR__) . '/tools/refuse_exec.c']);
		self::assertSame(0, $code, $said);
		chmod($filter, 0755);
		$preload = array_filter([(string) getenv('OPA_PRELOAD'), $filter]);
		$this->site->env = ['LD_PRELOAD' => implode(' ', $preload), 'OPA_REFUSE_EXEC' => $how];
		$this->site->start();
		$markers = [];

		self::await(function () use (&$markers, $why): bool {
			$markers[] = self::visit($this->pool, 'plain');
			return str_contains(self::status($this->pool)['problem'], $why);
		}, 'opa_status() says why');
		self::await(function () use (&$markers, $why): bool {
			$markers[] = self::visit($this->pool, 'plain');
			return preg_match("/opa: traces do not arrive: opa-exporter: .*$why/", $this->site->phpLog()) === 1;
		}, 'the log says why', 20);
		self::assertSame(1, substr_count($this->site->phpLog(), 'traces do not arrive'));
		self::assertSame([], $this->exporters());
		$told = $this->opaStatus();
		self::assertStringContainsString($viewer, $told);
		self::assertStringContainsString('has not come up yet', $told);
		self::assertStringNotContainsString('the first request starts it', $told);
		self::assertStringNotContainsString('exited on signal', $this->site->fpmLog());

		$this->site->stopFpm(SIGQUIT);
		self::bringIn($this->site, $this->pool);
		foreach ($markers as $marker) {
			self::trace($this->pool, $marker);
		}
	}

	public function testASpoolOnAFileSystemThatForbidsExecution(): void
	{
		self::needRoot();
		$mount = dirname($this->pool->store) . '/mounted';
		mkdir($mount);
		$options = 'noexec,nosuid,nodev,size=16m,mode=0777';
		if (self::runToEnd(['mount', '-t', 'tmpfs', '-o', $options, 'opa-e2e', $mount])[0] !== 0) {
			self::markTestSkipped('mounting is not allowed here');
		}
		try {
			$this->pool->spool = "$mount/spool";
			$this->site->start();
			self::trace($this->pool, self::visit($this->pool, 'plain'));
			self::assertSame('', self::status($this->pool)['problem']);
		} finally {
			$this->site->stopFpm();
			Site::remove($this->pool->spool);
			self::await(fn (): bool => $this->exporters() === [], 'the exporter leaves');
			self::runToEnd(['umount', $mount]);
		}
	}

	public function testAStoreThatCannotBeWrittenIsSaidAndWhenItCanEverythingArrives(): void
	{
		self::needRoot();
		$home = dirname($this->pool->store) . '/locked';
		mkdir($home, 0700);
		$this->pool->store = "$home/traces.db";
		$this->site->start();
		$markers = [self::visit($this->pool, 'plain'), self::visit($this->pool, 'nested')];

		self::await(fn (): bool => isset($this->pool->state()['problem']), 'the exporter says what is wrong');
		self::assertStringContainsString($home, self::status($this->pool)['exporter']['state']['problem']);
		self::assertStringContainsString($home, self::status($this->pool)['problem']);
		self::assertStringContainsString($home, $this->opaStatus());
		$markers[] = self::visit($this->pool, 'plain');

		chown($home, $this->pool->user);
		foreach ($markers as $marker) {
			self::trace($this->pool, $marker);
		}
		self::await(fn (): bool => !isset($this->pool->state()['problem']), 'nothing is wrong any more');
	}

	public function testASpoolThatCannotBeMade(): void
	{
		self::needRoot();
		$this->pool->spool = '/proc/there/is/no/such/directory';
		$this->site->start();

		self::visit($this->pool, 'plain');
		self::visit($this->pool, 'session');
		$status = self::status($this->pool);
		self::assertStringContainsString('spool', $status['problem']);
		self::assertNull($status['spool']['path']);
		self::assertSame(4 + 3, $status['counters']['spans_dropped_no_spool']);
	}

	public function testAFullSpoolDropsAndCountsAndGoesOnWhenThereIsRoom(): void
	{
		$this->pool->settings = ['opa.spool_max_size' => '200K', 'opa.exporter_path' => '/nonexistent/opa-exporter'];
		$this->site->start();
		for ($i = 0; $i < 10; $i++) {
			self::visit($this->pool, 'thousand');
		}
		$status = self::status($this->pool);
		self::assertGreaterThan(0, $status['counters']['spans_dropped_spool_full']);
		self::assertSame(10 * 1001, $status['counters']['spans_dropped_spool_full'] + $status['counters']['spans_kept']);
		self::await(function (): bool {
			$marker = self::visit($this->pool, 'plain');
			self::bringIn($this->site, $this->pool);
			return $this->pool->store()->trace($marker) !== null;
		}, 'there is room again');
	}

	public function testTheFileOffInTheSpoolSwitchesTracingOffAndBackOn(): void
	{
		$this->site->start();
		self::visit($this->pool, 'plain');
		touch("{$this->pool->spool}/off");
		$isTraced = fn (): bool => (Client::get($this->pool->url('empty', 'm=off'))->headers['x-trace'] ?? '') !== '';
		self::await(static fn (): bool => !$isTraced(), 'it is off', 5);

		self::assertStringContainsString('off', self::status($this->pool)['problem']);
		unlink("{$this->pool->spool}/off");
		self::await($isTraced, 'it is on again', 5);
	}
}
