<?php

declare(strict_types=1);

namespace Opa\Tests;

/** What cannot be kept is counted where the user looks, however the process ends that lost it. */
final class LossTest extends ServerTestCase
{
	/** @return array<string, mixed> what `opa status --json` says */
	private static function opaStatus(string $spool, string $store, string $user, bool $import = false): array
	{
		$command = [PHP_BINARY, '-n', ...self::extensions('pdo', 'pdo_sqlite', 'posix', 'ctype'),
			dirname(__DIR__, 2) . '/viewer/main.php', 'status', '--json', '--user', $user, '--spool', $spool,
			'--store', $store, ...($import ? [] : ['--no-import'])];
		[, $said] = self::runToEnd($command, ['OPA_EXPORTER' => Site::builtModules() . '/opa-exporter',
			'HOME' => '/nonexistent', 'XDEBUG_MODE' => 'off']);
		return json_decode(substr($said, (int) strpos($said, "{\n")), true, 512, JSON_THROW_ON_ERROR);
	}

	/** @return list<string> options that load those that are not built in */
	private static function extensions(string ...$names): array
	{
		$options = [];
		foreach ($names as $name) {
			if (is_file(PHP_EXTENSION_DIR . "/$name.so")) {
				array_push($options, '-d', "extension=$name.so");
			}
		}
		return $options;
	}

	/** Runs the test with a directory on a file system of 256 KB. */
	private static function onSmallDisk(callable $test): void
	{
		self::needRoot();
		$mount = sys_get_temp_dir() . '/opa-e2e-' . bin2hex(random_bytes(6));
		mkdir($mount);
		if (self::runToEnd(['mount', '-t', 'tmpfs', '-o', 'size=256k,mode=0755', 'opa-e2e', $mount])[0] !== 0) {
			rmdir($mount);
			self::markTestSkipped('mounting is not allowed here');
		}
		try {
			$test($mount);
		} finally {
			self::runToEnd(['umount', $mount]);
			rmdir($mount);
		}
	}

	private static function fill(string $directory): void
	{
		$file = fopen("$directory/filler", 'a');
		while (@fwrite($file, str_repeat("\0", 4096)) === 4096) {
		}
		fclose($file);
	}

	/** A script that makes that many spans, without an exporter. */
	private static function script(string $spool, string $store, int $spans): void
	{
		$code = "for (\$i = 0; \$i < $spans; \$i++) { opa_end_span(opa_start_span('x')); }";
		[$code, $said] = self::runToEnd([PHP_BINARY, '-n', '-d', 'extension=' . Site::builtModules() . '/opa.so',
			'-d', "opa.spool_dir=$spool", '-d', "opa.store_path=$store", '-d', 'opa.exporter_path=/nonexistent',
			'-d', 'opa.spool_max_size=1M', '-r', $code]);
		self::assertSame([0, ''], [$code, $said]);
	}

	public function testScriptsThatBeginOnAFullDisk(): void
	{
		self::onSmallDisk(function (string $mount): void {
			$store = "$mount/none/traces.db";
			self::script("$mount/spool", $store, 1);
			self::fill($mount);
			self::script("$mount/spool", $store, 3);
			self::script("$mount/spool", $store, 4);
			$status = self::opaStatus("$mount/spool", $store, 'root');
			self::assertSame(['spans_dropped_disk_full' => 4 + 5], $status['losses']);
			self::assertTrue($status['spools'][0]['disk_full']);
			self::assertNull($status['spools'][0]['uncounted']);
			self::assertSame(3, $status['counters']['traces_started']);

			unlink("$mount/filler");
			self::script("$mount/spool", $store, 1);
			$status = self::opaStatus("$mount/spool", $store, 'root');
			self::assertSame(['spans_dropped_disk_full' => 4 + 5], $status['losses']);
			self::assertSame(4, $status['counters']['traces_started']);
		});
	}

	/** Before any process could make the place for its counters. */
	public function testADiskThatWasFullFromTheStart(): void
	{
		self::onSmallDisk(function (string $mount): void {
			self::fill($mount);
			self::script("$mount/spool", "$mount/none/traces.db", 1);
			$status = self::opaStatus("$mount/spool", "$mount/none/traces.db", 'root');
			self::assertStringContainsString('is full', (string) $status['spools'][0]['uncounted']);
			unlink("$mount/filler");
			$status = self::opaStatus("$mount/spool", "$mount/none/traces.db", 'root');
			self::assertNotNull($status['spools'][0]['uncounted']);
			self::script("$mount/spool", "$mount/none/traces.db", 1);
			$status = self::opaStatus("$mount/spool", "$mount/none/traces.db", 'root');
			self::assertNull($status['spools'][0]['uncounted']);
		});
	}

	/** FPM's workers leave and others come, while there is room for nothing. */
	public function testWorkersThatBeginOnAFullDisk(): void
	{
		self::onSmallDisk(function (string $mount): void {
			$pool = new Pool('www');
			$pool->directives['pm.max_requests'] = '1';
			$pool->settings = ['opa.exporter_path' => '/nonexistent', 'opa.spool_max_size' => '1M'];
			$site = $this->site($pool);
			$pool->spool = "$mount/spool";
			mkdir($pool->spool, 0700);
			chown($pool->spool, $pool->user);
			$site->start();
			self::visit($pool, 'plain');
			self::fill($mount);
			for ($i = 0; $i < 5; $i++) {
				self::visit($pool, 'plain');
			}
			$status = self::opaStatus($pool->spool, $pool->store, $pool->user);
			self::assertSame(['spans_dropped_disk_full' => 5 * 4], $status['losses']);
			unlink("$mount/filler");
			$site->stopFpm(SIGQUIT);
			self::bringIn($site, $pool);
			$status = self::opaStatus($pool->spool, $pool->store, $pool->user);
			self::assertSame(['spans_dropped_disk_full' => 5 * 4], $status['losses']);
			self::assertSame(5 * 4, $pool->store()->value(
				"SELECT value FROM counters WHERE name = 'spans_dropped_disk_full'"));
		});
	}

	/** Without an exporter, `opa status` finds out by itself that a worker is gone. */
	public function testATraceWhoseWorkerIsKilled(): void
	{
		$pool = new Pool('www');
		$pool->settings = ['opa.exporter_path' => '/nonexistent'];
		$site = $this->site($pool);
		$site->start();
		self::visit($pool, 'plain');
		$status = fn (): array => self::opaStatus($pool->spool, $pool->store, $pool->user);
		[$worker] = $site->workers();
		$client = new Daemon(['curl', '-s', $pool->url('stuck', 'm=stuck')], [], "$site->directory/curl.log");
		self::await(fn (): bool => self::running($pool) === 1, 'the request runs');
		self::assertSame([], $status()['losses']);
		self::assertSame(1, $status()['counters']['traces_started']);

		self::assertTrue(posix_kill($worker, SIGKILL));
		self::await(static fn (): bool => $status()['losses'] === ['traces_lost' => 1], 'it is counted as lost');
		self::assertSame(2, $status()['counters']['traces_started']);
		$client->stop();

		self::visit($pool, 'plain');
		$site->stopFpm(SIGQUIT);
		for ($i = 0; $i < 2; $i++) {
			self::bringIn($site, $pool);
			self::assertSame(['traces_lost' => 1], $status()['losses']);
			self::assertSame(3, $status()['counters']['traces_started']);
		}
		self::assertSame(1, $pool->store()->value("SELECT value FROM counters WHERE name = 'traces_lost'"));
	}

	private static function running(Pool $pool): int
	{
		$sum = 0;
		foreach (glob("$pool->spool/control/*.c") as $file) {
			$sum += unpack('q', (string) file_get_contents($file), 48 + 63 * 8)[1];
		}
		return $sum;
	}

	/** None of these has lost a trace: whatever the program did, and however the pool is stopped in order. */
	public function testOrderlyEndsLoseNothing(): void
	{
		$pool = new Pool('www');
		$pool->directives['pm.max_requests'] = '3';
		$site = $this->site($pool);
		$site->global['process_control_timeout'] = '20s';
		$site->start();
		foreach (['plain', 'exit', 'fatal', 'uncaught', 'memory', 'timelimit', 'finish', 'session', 'plain'] as $page) {
			Client::get($pool->url($page, 'm=' . self::marker()));
		}
		$client = new Daemon(['curl', '-s', $pool->url('slow', 'm=last')], [], "$site->directory/curl.log");
		self::await(fn (): bool => self::running($pool) === 1, 'a request runs');
		$site->stopFpm(SIGQUIT);
		$client->stop();
		self::assertSame(0, self::running($pool));
		self::trace($pool, 'last');
		self::await(static fn (): bool => self::opaStatus($pool->spool, $pool->store, $pool->user)
			['counters']['traces_started'] === 10, 'all are counted');
		self::assertSame([], self::opaStatus($pool->spool, $pool->store, $pool->user)['losses']);
	}

	/** The modules' shutdown, which here comes too early, publishes what the request has recorded. */
	public function testATraceThatIsOpenAtTheModulesShutdown(): void
	{
		if (!is_file(PHP_EXTENSION_DIR . '/ffi.so') && !extension_loaded('ffi')) {
			self::markTestSkipped('FFI is needed to call it');
		}
		$directory = sys_get_temp_dir() . '/opa-e2e-' . bin2hex(random_bytes(6));
		mkdir($directory, 0700);
		$opa = Site::builtModules() . '/opa.so';
		$code = <<<'PHP'
			opa_end_span(opa_start_span('recorded'));
			$ffi = FFI::cdef('struct entry { unsigned short size; unsigned int api; unsigned char debug;
				unsigned char zts; void *ini; void *deps; char *name; void *functions;
				int (*startup)(int, int); int (*shutdown)(int, int); };
				struct entry *get_module(void);', $argv[1]);
			($ffi->get_module()->shutdown)(1, 99999);
			FFI::cdef('void _exit(int);')->_exit(7);
			PHP;
		[$code, $said] = self::runToEnd([PHP_BINARY, '-n', ...self::extensions('ffi'), '-d', "extension=$opa",
			'-d', "opa.spool_dir=$directory/spool", '-d', "opa.store_path=$directory/traces.db",
			'-d', 'opa.exporter_path=/nonexistent', '-r', $code, $opa]);
		try {
			self::assertSame([7, ''], [$code, $said]);
			$user = posix_getpwuid(posix_geteuid())['name'];
			$status = self::opaStatus("$directory/spool", "$directory/traces.db", $user, true);
			self::assertSame([], $status['losses']);
			self::assertSame(['traces' => 1, 'spans' => 2],
				array_intersect_key($status['store'], ['traces' => 1, 'spans' => 1]));
		} finally {
			Site::remove($directory);
		}
	}
}
