<?php

declare(strict_types=1);

namespace Opa\Tests;

use Opa\Viewer\Mount;

/** In a system of its own below the test's directory: PHPs there are wrappers around the real one. */
final class ViewerDoctorTest extends ViewerSystemTestCase
{
	private ?ScriptedCollector $collector = null;

	public static function setUpBeforeClass(): void
	{
		if (!is_executable(Site::builtModules() . '/opa-exporter')) {
			self::markTestSkipped('opa is not built');
		}
	}

	protected function tearDown(): void
	{
		$this->collector?->stop();
		parent::tearDown();
	}

	/** A PHP of this system: the real one with these settings, and with the extension unless it is not to be. */
	private function php(array $settings = [], string $name = 'php8.9', bool $opa = true): string
	{
		$program = str_contains($name, 'fpm') ? Site::fpmBinary() : PHP_BINARY;
		if ($program === null) {
			$this->markTestSkipped('there is no PHP-FPM');
		}
		$words = [$program, '-n', ...($opa ? ['-d', 'extension=' . Site::builtModules() . '/opa.so'] : [])];
		foreach ($settings as $key => $value) {
			array_push($words, '-d', "$key=\"$value\"");
		}
		return $this->file("usr/bin/$name", "#!/bin/sh\nexec " . implode(' ', array_map('escapeshellarg', $words)) . " \"\$@\"\n", 0755);
	}

	private function file(string $name, string $text, int $mode = 0644): string
	{
		$path = "$this->directory/$name";
		if (!is_dir(dirname($path))) {
			mkdir(dirname($path), 0755, true);
		}
		file_put_contents($path, $text);
		chmod($path, $mode);
		return $path;
	}

	private function clock(string $source, string $others = ''): void
	{
		$this->file('sys/devices/system/clocksource/clocksource0/current_clocksource', "$source\n");
		$this->file('sys/devices/system/clocksource/clocksource0/available_clocksource', "$source $others\n");
	}

	/** @param array<string, string> $env */
	private function doctor(array $env = [], string ...$arguments): Result
	{
		if (!is_dir("$this->directory/sys")) {
			$this->clock('tsc');
		}
		@mkdir("$this->directory/dev/shm", 0755, true);
		return $this->inRoot(['doctor', ...$arguments], $env + ['PATH' => "$this->directory/usr/bin", 'COLUMNS' => '400',
			'OPA_EXPORTER' => Site::builtModules() . '/opa-exporter']);
	}

	private function assertLine(string $level, string $topic, string $text, Result $result): void
	{
		foreach ($result->lines() as $line) {
			if (preg_match("/^$level +$topic  *(.*)/", $line, $m) === 1 && str_contains($m[1], $text)) {
				$this->addToAssertionCount(1);
				return;
			}
		}
		$this->fail("no line '$level $topic ... $text' in:\n$result->out$result->err");
	}

	/** @param array<string, mixed> $script */
	private function collector(array $script = []): ScriptedCollector
	{
		$this->collector = new ScriptedCollector("$this->directory/collector");
		$this->collector->script($script);
		return $this->collector->start();
	}

	public function testAllIsWell(): void
	{
		$php = $this->php(['opa.service_name' => 'shop', 'opa.headers' => 'api-key=topsecret']);
		$result = $this->doctor();
		$this->assertSame([0, ''], [$result->code, $result->err], $result->out);
		$this->assertLine('ok', 'PHP', 'cli ' . PHP_VERSION . " ($php) has opa " . \Opa\Viewer\Application::VERSION, $result);
		$this->assertLine('ok', 'Settings', 'opa.service_name=shop (ini), opa.headers=api-key=REDACTED (ini)', $result);
		$this->assertLine('ok', 'Spool', "none yet; the first request makes one", $result);
		$this->assertLine('ok', 'Exporter', Site::builtModules() . '/opa-exporter is opa-exporter', $result);
		$this->assertLine('ok', 'Store', "none of ", $result);
		$this->assertLine('ok', 'Clock', 'tsc; it takes ', $result);
		$this->assertStringEndsWith(", 0 failures\n", $result->out);
		$this->assertStringNotContainsString('topsecret', $result->out);
		$this->assertStringNotContainsString("\e", $result->out);
	}

	public function testItLeavesNothingBehind(): void
	{
		$this->php(['opa.spool_dir' => "$this->directory/spool", 'opa.store_path' => "$this->directory/store"]);
		$this->spool($this->mySpool());
		$this->clock('tsc');
		$before = $this->snapshot();
		$result = $this->doctor();
		$this->assertLine('ok', 'Spool', $this->mySpool(), $result);
		$this->assertSame($before, $this->snapshot());
	}

	/** @return array<string, string> */
	private function snapshot(): array
	{
		clearstatcache();
		$found = [];
		foreach (new \RecursiveIteratorIterator(new \RecursiveDirectoryIterator($this->directory,
			\FilesystemIterator::SKIP_DOTS), \RecursiveIteratorIterator::SELF_FIRST) as $path => $info) {
			// SQLite's reader may make these two beside a store, as for every command.
			if (preg_match('/-(wal|shm)$/D', (string) $path) !== 1) {
				$found[(string) $path] = $info->getSize() . ($info->isDir() ? '' : ' ' . $info->getMTime());
			}
		}
		ksort($found);
		return array_map(static fn (string $s): string => is_numeric($s) ? 'directory' : $s, $found);
	}

	public function testNoPhpLoadsIt(): void
	{
		$this->php([], 'php8.9', false);
		$result = $this->doctor();
		$this->assertSame(1, $result->code);
		$this->assertLine('warn', 'PHP', 'usr/bin/php8.9) does not load opa', $result);
		$this->assertLine('FAIL', 'PHP', 'no PHP that was found loads opa', $result);
		$this->assertStringContainsString('do: put  extension=opa.so  into php.ini', $result->out);
	}

	public function testFpmIsAskedWithoutThisShellsVariables(): void
	{
		$this->php();
		$this->php([], 'php-fpm8.9');
		$this->file('etc/php/8.9/fpm/pool.d/www.conf', "[www]\nenv[OTEL_SERVICE_NAME] = shop\n");
		$this->file('etc/php/8.9/fpm/pool.d/open.conf', "[open]\nclear_env = no\n");
		$collector = $this->collector();
		$result = $this->doctor(['OTEL_SERVICE_NAME' => 'shop', 'OTEL_EXPORTER_OTLP_ENDPOINT' => $collector->url()]);
		$this->assertSame(0, $result->code, $result->out);
		$this->assertLine('ok', 'Settings', "opa.endpoint={$collector->url()} (OTEL_EXPORTER_OTLP_ENDPOINT)", $result);
		$this->assertMatchesRegularExpression('/^ok +Settings +fpm .*php-fpm8.9\): all as they are by default$/m', $result->out);
		$this->assertLine('warn', 'Variables', 'OTEL_EXPORTER_OTLP_ENDPOINT of this shell are not seen by the workers of '
			. "$this->directory/etc/php/8.9/fpm/pool.d/www.conf", $result);
		$this->assertLine('ok', 'Variables', 'open.conf hands on OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SERVICE_NAME', $result);
	}

	public function testAServerWithoutAProgramIsKnownByItsFiles(): void
	{
		$this->file('etc/php/8.9/apache2/conf.d/20-opa.ini', "; comment\nextension=opa.so ; here\n");
		$this->file('etc/php/8.8/apache2/conf.d/20-other.ini', ";extension=opa.so\nextension=opal.so\n");
		$this->file('etc/php/8.8/apache2/php.ini', '');
		$result = $this->doctor();
		$this->assertLine('ok', 'PHP', "apache2 8.9: $this->directory/etc/php/8.9/apache2/conf.d/20-opa.ini loads opa", $result);
		$this->assertLine('warn', 'PHP', "apache2 8.8: no file of $this->directory/etc/php/8.8/apache2/conf.d loads opa", $result);
		$this->assertStringNotContainsString('no PHP that was found', $result->out);
	}

	public function testWhatCannotBeAskedIsNamed(): void
	{
		$this->php();
		$broken = $this->file('usr/bin/php8.7', "#!/bin/sh\necho it is broken >&2\nexit 3\n", 0755);
		$open = $this->file('usr/bin/php8.6', "#!/bin/sh\ntouch '$this->directory/was-run'\n", 0777);
		$result = $this->doctor();
		$this->assertSame(0, $result->code);
		$this->assertLine('warn', 'PHP', "$broken could not be asked: it is broken", $result);
		$this->assertLine('warn', 'PHP', "$open was not asked", $result);
		$this->assertFileDoesNotExist("$this->directory/was-run");
	}

	public function testItIsSwitchedOff(): void
	{
		$this->php(['opa.enabled' => '0']);
		$this->spool($this->mySpool());
		touch($this->mySpool() . '/off');
		$result = $this->doctor();
		$this->assertSame(1, $result->code);
		$this->assertLine('FAIL', 'Settings', 'records nothing: opa.enabled is off (ini)', $result);
		$this->assertLine('FAIL', 'Spool', "tracing is switched off: {$this->mySpool()}/off exists", $result);
	}

	public function testVariablesThatAreIgnored(): void
	{
		$this->php();
		$result = $this->doctor(['OTEL_TRACES_SAMPLER' => 'sometimes']);
		$this->assertLine('warn', 'Settings', 'OTEL_TRACES_SAMPLER is ignored', $result);
	}

	public function testAnExporterThatIsMissingOrDoesNotFit(): void
	{
		$path = "$this->directory/opa-exporter";
		$this->php(['opa.exporter_path' => $path]);
		$result = $this->doctor();
		$this->assertSame(1, $result->code);
		$this->assertLine('FAIL', 'Exporter', "$path is not there", $result);
		$this->file('opa-exporter', "#!/bin/sh\necho opa-exporter 0.0.1\n");
		$this->assertLine('FAIL', 'Exporter', "$path may not be executed", $this->doctor());
		chmod($path, 0755);
		$this->assertLine('FAIL', 'Exporter', "$path is opa-exporter 0.0.1, this command is of", $this->doctor());
		file_put_contents($path, "#!/bin/sh\necho no library >&2; exit 127\n");
		$this->assertLine('FAIL', 'Exporter', "$path does not answer --version: no library", $this->doctor());
	}

	public function testAnExporterThatLiesWhereNothingMayBeExecuted(): void
	{
		$this->needsRoot();
		mkdir("$this->directory/mounted");
		$path = "$this->directory/mounted/opa-exporter";
		$this->php(['opa.exporter_path' => $path]);
		$this->clock('tsc');
		$mount = 'mount -t tmpfs -o noexec none "$1" && cp "$2" "$1" || exit 77; shift 2; exec "$@"';
		$result = self::execute(['unshare', '-m', 'sh', '-c', $mount, 'sh', "$this->directory/mounted",
			Site::builtModules() . '/opa-exporter', PHP_BINARY, self::top() . '/tests/e2e/fixtures/viewer-in-root.php', $this->directory,
			'doctor'], ['COLUMNS' => '400', 'PATH' => "/usr/bin:/bin:$this->directory/usr/bin"]);
		if (in_array($result->code, [77, 127], true) || str_starts_with($result->err, 'unshare:')) {
			$this->markTestSkipped('nothing can be mounted here');
		}
		$this->assertSame(1, $result->code);
		$this->assertLine('FAIL', 'Exporter', "$path lies on $this->directory/mounted, which is mounted noexec", $result);
	}

	public function testOtherUsersAreNamed(): void
	{
		$this->needsRoot();
		$this->spool("$this->directory/dev/shm/opa-33", 'x', 0, self::OTHER);
		$this->clock('tsc');
		$result = $this->inRoot(['doctor'], ['PATH' => '/usr/bin:/bin'], 'nobody');
		$this->assertStringContainsString('this was about nobody; for ' . self::OTHER . ':  sudo -u ' . self::OTHER . ' opa doctor', $result->err);
	}

	public function testRootChecksAsTheUserWhoseTracesTheyAre(): void
	{
		$this->needsRoot();
		$this->php();
		$this->spool("$this->directory/dev/shm/opa-33", 'x', 0, self::OTHER);
		$result = $this->doctor();
		$this->assertLine('ok', 'Spool', "$this->directory/dev/shm/opa-33 (" . self::OTHER . "'s, ", $result);
		chmod("$this->directory/dev/shm/opa-33", 0500);
		$this->assertLine('FAIL', 'Spool', 'cannot be written to', $this->doctor());
	}

	public function testWhatStandsInTheExportersWay(): void
	{
		$this->php();
		$this->spool($this->mySpool());
		file_put_contents($this->mySpool() . '/state', "pid=1\nupdated=" . time() . "\nproblem=the disk is full\n");
		$result = $this->doctor();
		$this->assertSame(1, $result->code);
		$this->assertLine('FAIL', 'Exporter', "of {$this->mySpool()}: the disk is full", $result);
		file_put_contents($this->mySpool() . '/state', "pid=1\nlast_success=100\nlast_error=no connection\nlast_error_time=" . time() . "\n");
		$this->assertLine('warn', 'Exporter', 'its last error just now: no connection', $this->doctor());
	}

	public function testACollectorIsAskedWithTheSettingsOfTheCommandLine(): void
	{
		$collector = $this->collector();
		$this->php(['opa.endpoint' => $collector->url(), 'opa.headers' => 'api-key=top%20secret']);
		$result = $this->doctor();
		$this->assertSame(0, $result->code, $result->out);
		$this->assertLine('ok', 'Endpoint', "{$collector->url()}/v1/traces has taken an empty request in ", $result);
		$this->assertCount(1, $collector->requests());
		$request = $collector->requests()[0];
		$this->assertSame('', $request['body']);
		$this->assertStringStartsWith('POST /v1/traces ', $request['head']);
		$this->assertStringContainsString("\r\nContent-Encoding: gzip\r\n", $request['head']);
		$this->assertStringContainsString("\r\napi-key: top secret\r\n", "$request[head]\r\n");
		$this->assertStringNotContainsString('secret', $result->out);
		$this->assertStringNotContainsString('Store', $result->out);
	}

	/** @dataProvider answers */
	public function testWhatACollectorAnswersIsSaidWithWhatToDo(array $answer, string $level, string $text, string $remedy): void
	{
		$collector = $this->collector(['always' => $answer]);
		$this->php(['opa.endpoint' => str_replace('://', '://me:topsecret@', $collector->url()), 'opa.timeout' => '500ms']);
		$result = $this->doctor();
		$this->assertSame($level === 'FAIL' ? 1 : 0, $result->code);
		$url = str_replace('://', '://REDACTED@', $collector->url());
		$this->assertLine($level, 'Endpoint', "$url/v1/traces: $text", $result);
		$this->assertStringContainsString($remedy, $result->out);
		$this->assertStringNotContainsString('topsecret', $result->out);
	}

	public static function answers(): array
	{
		return [
			[['status' => 401], 'FAIL', 'it answers 401', 'do: opa.headers=NAME=KEY'],
			[['status' => 404], 'FAIL', 'it answers 404', 'do: opa.endpoint without a path'],
			[['status' => 415], 'FAIL', 'it answers 415', 'opa.compression=none'],
			[['status' => 503], 'FAIL', 'it answers 503', 'look into its log'],
			[['status' => 302, 'head' => "Location: http://elsewhere/\r\n"], 'FAIL', 'it answers 302', 'set opa.endpoint to where it points to'],
			[['status' => 429], 'warn', 'it answers 429', 'it is too busy'],
			[['hang' => true], 'FAIL', 'no answer in time', 'is a firewall in between?'],
		];
	}

	public function testACollectorThatIsNotThere(): void
	{
		$port = Site::freePort();
		$this->php(['opa.endpoint' => "http://127.0.0.1:$port"]);
		$result = $this->doctor();
		$this->assertSame(1, $result->code);
		$this->assertLine('FAIL', 'Endpoint', 'no connection: Connection refused', $result);
		$this->assertStringContainsString('do: start the collector', $result->out);
	}

	/** Of a server only its spool says where it sends to, and with which headers. */
	public function testTheCollectorThatAServersJournalsAreForIsAsked(): void
	{
		$collector = $this->collector(['always' => ['status' => 401]]);
		$this->php([], 'php-fpm8.9');
		$this->spool($this->mySpool());
		file_put_contents($this->mySpool() . '/dest/fedcba9876543210',
			"type=otlp\nendpoint={$collector->url()}/v1/traces\nheader=api-key: topsecret\ntimeout=5000\ncompression=none\n");
		file_put_contents($this->mySpool() . '/live/' . str_repeat('ab', 16) . '.1.j',
			str_repeat("\0", 8) . strrev(hex2bin('fedcba9876543210')) . str_repeat("\0", 56));
		$result = $this->doctor();
		$this->assertLine('FAIL', 'Endpoint', "{$collector->url()}/v1/traces: it answers 401", $result);
		$this->assertCount(1, $collector->requests());
		$this->assertStringContainsString('api-key: topsecret', $collector->requests()[0]['head']);
		$this->assertStringNotContainsString('topsecret', $result->out);
	}

	public function testAClockThatIsASystemCall(): void
	{
		$this->php();
		$this->clock('hpet', 'tsc acpi_pm');
		$result = $this->doctor();
		$this->assertSame(0, $result->code);
		$this->assertLine('warn', 'Clock', 'hpet: each reading is a system call, and takes ', $result);
		$this->assertStringContainsString('do: as root:  echo tsc > ', $result->out);
	}

	public function testAStoreThatCannotBeMade(): void
	{
		$file = $this->file('a-file', '');
		$this->php(['opa.store_path' => "$file/opa"]);
		$result = $this->doctor();
		$this->assertSame(1, $result->code);
		$this->assertLine('FAIL', 'Store', "may not make $file/opa: $file cannot be written to", $result);
	}

	public function testJson(): void
	{
		$this->php([], 'php8.9', false);
		$result = $this->doctor([], '--json');
		$this->assertSame(1, $result->code);
		$facts = json_decode($result->out, true, 512, JSON_THROW_ON_ERROR);
		$this->assertFalse($facts['ok']);
		$levels = array_column($facts['checks'], 'level');
		$this->assertContains('fail', $levels);
		foreach ($facts['checks'] as $check) {
			$this->assertSame(['level', 'topic', 'text', 'remedy'], array_keys($check));
			$this->assertSame($check['level'] === 'ok', $check['remedy'] === null, $check['text']);
		}
	}

	public function testColourIsForTerminals(): void
	{
		$this->php();
		$this->assertStringContainsString("\e[32mok", $this->doctor([], '--color', 'always')->out);
	}

	/** @dataProvider mounts */
	public function testTheFileSystemOfAPath(string $path, string $type, bool $memory, bool $noexec): void
	{
		$table = $this->file('mounts', "/dev/sda / ext4 rw 0 0\ntmpfs /run tmpfs rw,noexec 0 0\n"
			. "/dev/sdb /srv/a\\040b xfs rw,nosuid,noexec 0 0\n/dev/sdc /run tmpfs rw 0 0\n");
		$mount = Mount::of($path, $table);
		$this->assertSame([$type, $memory, $noexec], [$mount?->type, $mount?->isMemory(), $mount?->forbidsPrograms()]);
	}

	public static function mounts(): array
	{
		return [['/nowhere/x', 'ext4', false, false], ['/srv/a b/c', 'xfs', false, true], ['/srv/a bc', 'ext4', false, false],
			['/run/nothing/x', 'tmpfs', true, false]];
	}
}
