<?php

declare(strict_types=1);

namespace Opa\Tests;

/** Which store is read, as whom, and that the journals are brought in before. */
final class ViewerSourcesTest extends ViewerTestCase
{
	private const OTHER = 'www-data';

	/** The viewer in a system of its own, below the test's directory. */
	private function inRoot(array $arguments, array $env = [], ?string $user = null): Result
	{
		$command = [PHP_BINARY, self::top() . '/tests/e2e/fixtures/viewer-in-root.php', $this->directory,
			...$arguments];
		if ($user !== null) {
			$command = ['setpriv', "--reuid=$user", '--regid=65534', '--clear-groups', ...$command];
		}
		return self::execute($command, $env + ['COLUMNS' => '120', 'XDEBUG_MODE' => 'off']);
	}

	/** A spool as the extension makes it, with a store in it and a journal that waits. */
	private function spool(string $path, string $span = 'x', int $start = 0, ?string $owner = null): StoreBuilder
	{
		if (!is_dir(dirname($path))) {
			mkdir(dirname($path), 0755, true);
		}
		foreach (['', '/live', '/sealed', '/dest', '/control', '/store'] as $folder) {
			mkdir($path . $folder, 0700, true);
		}
		file_put_contents("$path/dest/0123456789abcdef", "type=store\nmax_size=1000000\n");
		file_put_contents("$path/live/" . str_repeat('ab', 16) . '.1.j', 'journal');
		$builder = new StoreBuilder("$path/store/traces.db");
		$builder->trace($builder->id(), [['name' => $span, 'ms' => 1]],
			['start' => $start ?: self::now() - 5_000_000_000]);
		if ($owner !== null) {
			$builder->db->exec('PRAGMA wal_checkpoint(TRUNCATE)');
			self::execute(['chown', '-R', $owner, $path]);
		}
		return $builder;
	}

	/** A program in the exporter's place. It notes how it was called. */
	private function exporter(string $script): array
	{
		$path = "$this->directory/opa-exporter";
		file_put_contents($path, "#!/bin/sh\necho \"\$@\" >> '$this->directory/calls'\n$script\n");
		chmod($path, 0755);
		return ['OPA_EXPORTER' => $path];
	}

	private function calls(): string
	{
		return (string) @file_get_contents("$this->directory/calls");
	}

	private function mySpool(): string
	{
		return "$this->directory/dev/shm/opa-" . posix_geteuid();
	}

	private function needsRoot(): void
	{
		if (posix_geteuid() !== 0 || posix_getpwnam(self::OTHER) === false) {
			$this->markTestSkipped('needs root, and the user ' . self::OTHER);
		}
		if ((fileperms(sys_get_temp_dir()) & 1) === 0) {
			$this->markTestSkipped(sys_get_temp_dir() . ' is closed to other users');
		}
	}

	public function testTheStoreOfASpoolIsFound(): void
	{
		$this->spool($this->mySpool(), 'found it');
		$result = $this->inRoot(['list'], $this->exporter('exit 0'));
		$this->assertSame([0, ''], [$result->code, $result->err]);
		$this->assertStringContainsString('found it', $result->out);
	}

	/** @dataProvider places */
	public function testTheUsersOwnPlaces(string $place, array $env): void
	{
		$path = str_replace('UID', (string) posix_geteuid(), "$this->directory/$place");
		mkdir($path, 0700, true);
		$builder = new StoreBuilder("$path/traces.db");
		$builder->trace($builder->id(), [['name' => 'found it', 'ms' => 1]]);
		foreach ($env as $name => $value) {
			$env[$name] = "$this->directory/$value";
		}
		$this->assertStringContainsString('found it', $this->inRoot(['list'], $env)->out);
	}

	public static function places(): array
	{
		return [
			'a package made it' => ['var/lib/opa/UID', []],
			'XDG_STATE_HOME' => ['state/opa', ['XDG_STATE_HOME' => 'state']],
			'home' => ['home/.local/state/opa', ['HOME' => 'home']],
		];
	}

	public function testTheStoreThatADestinationNamesIsFound(): void
	{
		$this->spool($this->mySpool(), 'not this', 1_000_000_000);
		mkdir("$this->directory/named");
		$builder = new StoreBuilder("$this->directory/named/traces.db");
		$builder->trace($builder->id(), [['name' => 'found it', 'ms' => 1]]);
		file_put_contents($this->mySpool() . '/dest/0123456789abcdef',
			"type=store\npath=$this->directory/named\n");
		$result = $this->inRoot(['list', '--no-import']);
		$this->assertStringContainsString('found it', $result->out);
	}

	public function testOfSeveralStoresTheOneWithTheNewestTraceIsReadAndTheOthersNamed(): void
	{
		$this->spool($this->mySpool(), 'older', self::now() - 60_000_000_000);
		mkdir("$this->directory/var/lib/opa/" . posix_geteuid(), 0700, true);
		$path = "$this->directory/var/lib/opa/" . posix_geteuid() . '/traces.db';
		$builder = new StoreBuilder($path);
		$builder->trace($builder->id(), [['name' => 'newer', 'ms' => 1]]);
		$result = $this->inRoot(['list', '--no-import']);
		$this->assertStringContainsString('newer', $result->out);
		$this->assertStringNotContainsString('older', $result->out);
		$this->assertStringContainsString("reading $path", $result->err);
		$this->assertStringContainsString($this->mySpool() . '/store/traces.db', $result->err);
	}

	public function testJournalsAreBroughtInFirst(): void
	{
		$this->spool($this->mySpool());
		$add = 'INSERT INTO traces SELECT NULL, \'f0\' || substr(trace_id, 3), root_span_id, \'imported\','
			. ' service, start_ns, end_ns, duration_ns, status, spans, errors, complete, stored_ns FROM traces';
		file_put_contents("$this->directory/add.php", '<?php (new PDO("sqlite:" . $argv[1]))->exec('
			. var_export($add, true) . ');');
		$result = $this->inRoot(['list'], $this->exporter(PHP_BINARY . " '$this->directory/add.php' '"
			. $this->mySpool() . "/store/traces.db'"));
		$this->assertSame('--spool ' . $this->mySpool() . " --once\n", $this->calls());
		$this->assertStringContainsString('imported', $result->out);
	}

	public function testNoImportBringsNothingIn(): void
	{
		$this->spool($this->mySpool());
		$this->assertSame(0, $this->inRoot(['list', '--no-import'], $this->exporter('exit 0'))->code);
		$this->assertSame('', $this->calls());
	}

	public function testJournalsThatAreInTheStoreAlreadyStartNoExporter(): void
	{
		$builder = $this->spool($this->mySpool());
		$builder->db->exec("INSERT INTO positions VALUES ('" . str_repeat('ab', 16) . ".1.j', 7)");
		$this->assertSame(0, $this->inRoot(['list'], $this->exporter('exit 0'))->code);
		$this->assertSame('', $this->calls());
	}

	public function testAFailedImportIsSaidAndTheStoreStillShown(): void
	{
		$this->spool($this->mySpool(), 'still here');
		$result = $this->inRoot(['list'], $this->exporter('echo "the disk is full" >&2; exit 1'));
		$this->assertSame(0, $result->code);
		$this->assertStringContainsString('still here', $result->out);
		$this->assertStringContainsString('the store may be behind: the disk is full', $result->err);
	}

	public function testAMissingExporterIsSaid(): void
	{
		if (is_file(self::top() . '/modules/opa-exporter')) {
			$this->markTestSkipped('there is one in modules/');
		}
		$this->spool($this->mySpool(), 'still here');
		$result = $this->inRoot(['list'], ['OPA_EXPORTER' => '/nowhere']);
		$this->assertStringContainsString('1 journal in ' . $this->mySpool() . ' not brought in', $result->err);
		$this->assertStringContainsString('still here', $result->out);
	}

	public function testWhereAnotherExporterIsAtWorkItIsWaitedFor(): void
	{
		$this->spool($this->mySpool());
		file_put_contents("$this->directory/late.php", '<?php usleep(300000);
			$db = new PDO("sqlite:" . $argv[1]); $db->beginTransaction();
			$db->exec("UPDATE traces SET name = \'caught up\'");
			$db->exec("INSERT INTO positions VALUES (\'' . str_repeat('ab', 16) . '.1.j\', 7)");
			$db->commit();');
		$result = $this->inRoot(['list'], $this->exporter('(' . PHP_BINARY . " '$this->directory/late.php' '"
			. $this->mySpool() . "/store/traces.db' >/dev/null 2>&1 &)\nexit 3"));
		$this->assertSame([0, ''], [$result->code, $result->err]);
		$this->assertStringContainsString('caught up', $result->out);
	}

	public function testItIsNotWaitedForLong(): void
	{
		$this->spool($this->mySpool(), 'still here');
		$result = $this->inRoot(['list'], $this->exporter('exit 3'));
		$this->assertStringContainsString('still here', $result->out);
	}

	public function testWithStoreOnlySpoolsThatLeadThereAreBroughtIn(): void
	{
		$this->spool($this->mySpool());
		$path = $this->fixtureStore();
		$env = $this->exporter('exit 0');
		$this->assertSame(0, $this->inRoot(['list', '--store', $path], $env)->code);
		$this->assertSame('', $this->calls());
		$this->inRoot(['list', '--store', $this->mySpool() . '/store'], $env);
		$this->assertSame('--spool ' . $this->mySpool() . " --once\n", $this->calls());
	}

	public function testASpoolThatIsNamedIsTheOnlyOne(): void
	{
		$this->spool($this->mySpool(), 'not this');
		$this->spool("$this->directory/elsewhere", 'this one', 1_000_000_000);
		$result = $this->inRoot(['list', '--spool', "$this->directory/elsewhere"], $this->exporter('exit 0'));
		$this->assertSame("--spool $this->directory/elsewhere --once\n", $this->calls());
		$this->assertStringContainsString('this one', $result->out);
		$this->assertStringNotContainsString('not this', $result->out . $result->err);
	}

	public function testASymlinkIsNoSpool(): void
	{
		$this->spool("$this->directory/elsewhere");
		mkdir("$this->directory/dev/shm", 0755, true);
		symlink("$this->directory/elsewhere", $this->mySpool());
		$this->assertSame(1, $this->inRoot(['list'], $this->exporter('exit 0'))->code);
		$this->assertSame('', $this->calls());
	}

	public function testWhereNothingIsItSaysWhatToDo(): void
	{
		$result = $this->inRoot(['list']);
		$this->assertSame([1, ''], [$result->code, $result->out]);
		$this->assertStringContainsString('no traces of', $result->err);
		$this->assertStringContainsString('php -m | grep opa', $result->err);
	}

	public function testAnotherUsersTracesAreNamedWithTheCommandThatShowsThem(): void
	{
		$this->needsRoot();
		$this->spool("$this->directory/dev/shm/opa-33", 'x', 0, self::OTHER);
		$result = $this->inRoot(['list', '--tag', 'a=b c'], [], 'nobody');
		$this->assertSame([1, ''], [$result->code, $result->out]);
		$this->assertStringContainsString('nobody has no traces, but ' . self::OTHER . ' has', $result->err);
		$this->assertStringContainsString('sudo -u ' . self::OTHER . " opa list --tag 'a=b c'", $result->err);
	}

	/** @dataProvider withAndWithoutPosix */
	public function testRootBecomesTheOwnerAndLeavesNoFileOfItsOwn(array $php): void
	{
		$this->needsRoot();
		$spool = "$this->directory/dev/shm/opa-33";
		$this->spool($spool, 'theirs', 0, self::OTHER);
		$log = "$this->directory/who";
		touch($log);
		chmod($log, 0666);
		$env = $this->exporter("id -un > '$log'; echo \"\$HOME\" >> '$log'");
		touch("$this->directory/calls");
		chmod("$this->directory/calls", 0666);
		$result = self::execute([PHP_BINARY, ...$php, self::top() . '/viewer/main.php', 'list', '--spool', $spool],
			$env + ['COLUMNS' => '100', 'XDG_STATE_HOME' => '/root/x', 'XDEBUG_MODE' => 'off']);
		$this->assertStringContainsString('theirs', $result->out, $result->err);
		$this->assertSame(self::OTHER . "\n/var/www\n", file_get_contents($log));
		foreach (new \RecursiveIteratorIterator(new \RecursiveDirectoryIterator($spool,
			\FilesystemIterator::SKIP_DOTS)) as $file) {
			$this->assertSame(33, $file->getOwner(), (string) $file);
		}
		$this->assertFileExists("$spool/store/traces.db-shm");
	}

	public static function withAndWithoutPosix(): array
	{
		return ['posix' => [[]], 'setpriv' => [['-n', '-d', 'extension=pdo', '-d', 'extension=pdo_sqlite']]];
	}

	public function testRootSeesTheNewestUsersTracesAndIsToldOfTheOthers(): void
	{
		$this->needsRoot();
		$old = "$this->directory/dev/shm/opa-0";
		$this->spool($old, "root's");
		foreach (array_merge(glob("$old/store/*"), glob("$old/live/*")) as $file) {
			touch($file, time() - 3600);
		}
		$this->spool("$this->directory/dev/shm/opa-33", 'theirs', 0, self::OTHER);
		$result = $this->inRoot(['list', '--no-import']);
		$this->assertStringContainsString('theirs', $result->out);
		$this->assertStringContainsString("these are www-data's traces, the newest. There are also those of "
			. 'root: --user root', $result->err);
		$result = $this->inRoot(['list', '--no-import', '--user', 'root']);
		$this->assertStringContainsString("root's", $result->out);
		$this->assertSame('', $result->err);
	}

	public function testAMemberOfTheStoresGroupReadsIt(): void
	{
		$this->needsRoot();
		$path = "$this->directory/var/lib/opa/33";
		mkdir($path, 0755, true);
		$builder = new StoreBuilder("$path/traces.db");
		$builder->trace($builder->id(), [['name' => 'theirs', 'ms' => 1]]);
		foreach ([$path, ...glob("$path/*")] as $file) {
			chown($file, 33);
			chgrp($file, 65534);
			chmod($file, is_dir($file) ? 02750 : 0640);
		}
		$this->assertStringContainsString('theirs', $this->inRoot(['list'], [], 'nobody')->out);
		$this->assertSame(0, $this->inRoot(['list', '--user', self::OTHER], [], 'nobody')->code);
		$result = $this->inRoot(['list', '--user', 'daemon'], [], 'nobody');
		$this->assertSame(1, $result->code);
		$this->assertStringContainsString("there is no trace of daemon's that nobody may read", $result->err);
	}

	public function testAnUnknownUserIsSaid(): void
	{
		$result = $this->inRoot(['list', '--user', 'nosuchuser']);
		$this->assertSame(1, $result->code);
		$this->assertStringContainsString("no user is called 'nosuchuser'", $result->err);
	}

	public function testStatus(): void
	{
		$builder = $this->spool($this->mySpool());
		$builder->counter('spans_dropped_spool_full', 12);
		$builder->counter('traces_started', 3);
		file_put_contents($this->mySpool() . '/state', "pid=999999999\nstarted=1700000000\n"
			. 'updated=' . (time() - 7) . "\nspans=20\ntraces=4\nwaiting=2048\nlast_success=" . (time() - 9)
			. "\nlast_error=disk \x1b[2J full\nlast_error_time=" . (time() - 600) . "\nproblem=no room\n");
		$counters = array_fill(0, 64, 0);
		[$counters[0], $counters[5], $counters[17]] = [2, 30, 5];
		file_put_contents($this->mySpool() . '/control/a.c', str_pad(pack('LSS', 0x4341504f, 1, 0)
			. str_repeat("\0", 40) . pack('q*', ...$counters), 4096, "\0"));
		copy($this->mySpool() . '/control/a.c', $this->mySpool() . '/control/stored.c');
		$builder->db->exec("INSERT INTO positions VALUES ('stored.c', 1)");
		// The sum of the dead has taken merged.c in, and who made it was killed before it removed the file.
		$merged = str_repeat('ab', 16);
		copy($this->mySpool() . '/control/a.c', $this->mySpool() . "/control/$merged.c");
		[$counters[0], $counters[5], $counters[17]] = [0, 1, 0];
		file_put_contents($this->mySpool() . '/control/' . str_repeat('0', 32) . '.c', str_pad(
			pack('LSS', 0x4341504f, 1, 1) . str_repeat("\0", 40) . pack('q*', ...$counters)
			. str_repeat("\0", 64) . pack('q', 1) . $merged, 4096, "\0"));
		// And this one an exporter has claimed, which has not stored it yet.
		file_put_contents($this->mySpool() . '/control/c.d', str_pad(pack('LSS', 0x4341504f, 1, 0)
			. str_repeat("\0", 40) . pack('q*', 0, 0, 0, 0, 0, 2), 4096, "\0"));
		touch($this->mySpool() . '/off');
		$result = $this->inRoot(['status', '--no-import']);
		$this->assertSame(0, $result->code, $result->err);
		foreach (['Store      ' . $this->mySpool() . '/store/traces.db', '1 trace · 1 span',
			'Spool      ' . $this->mySpool(), '/off exists', '1 journal of live processes, 0 sealed, 7 B',
			'not running: last heard of 7 s ago', 'last batch 9 s ago, 4 traces and 20 spans',
			'Problem    no room', 'disk \e[2J full (10 min ago)', '0 traces kept of 5 started',
			'45 spans dropped: opa.spool_max_size was reached', '5 values cut'] as $text) {
			$this->assertStringContainsString($text, $result->out);
		}
		$json = json_decode($this->inRoot(['status', '--no-import', '--json'])->out, true);
		$this->assertSame(['spans_dropped_spool_full' => 45, 'values_cut' => 5], $json['losses']);
	}

	public function testStatusSaysWhyTheExporterCannotBeStarted(): void
	{
		$this->spool($this->mySpool());
		file_put_contents($this->mySpool() . '/launch', '1');
		$result = $this->inRoot(['status', '--no-import']);
		$this->assertStringContainsString('Problem    the exporter could not be started: ', $result->out);
		unlink($this->mySpool() . '/launch');
		$this->assertStringNotContainsString('Problem', $this->inRoot(['status', '--no-import'])->out);
	}

	public function testStatusSaysThatTheExporterHangs(): void
	{
		$this->spool($this->mySpool());
		$directory = dirname($this->mySpool());
		$program = "$directory/opa-exporter";
		copy('/bin/sleep', $program);
		chmod($program, 0755);
		$process = proc_open([$program, '60'], [], $pipes);
		$pid = proc_get_status($process)['pid'];
		try {
			$state = fn (int $age): int|false => file_put_contents($this->mySpool() . '/state',
				"pid=$pid\nupdated=" . (time() - $age) . "\n");
			$state(8);
			$this->assertStringNotContainsString('Problem', $this->inRoot(['status', '--no-import'])->out);
			$state(100);
			$this->assertStringContainsString("(pid $pid) hangs", $this->inRoot(['status', '--no-import'])->out);
		} finally {
			proc_terminate($process, SIGKILL);
			proc_close($process);
		}
	}

	public function testStatusWithoutAStoreStillSaysWhatIsKnown(): void
	{
		$result = $this->inRoot(['status']);
		$this->assertSame(1, $result->code);
		$this->assertStringContainsString('Spool      none found', $result->out);
	}

	/** They are those of this shell: PHP on the command line says nothing of them by itself. */
	public function testStatusSaysWhichVariablesAreIgnoredAndMakesNoSpool(): void
	{
		$this->spool("$this->directory/spool");
		$extension = (string) getenv('OPA_EXTENSION');
		if (!is_file($extension)) {
			$this->markTestSkipped('OPA_EXTENSION names no opa.so');
		}
		$result = self::execute([PHP_BINARY, '-d', "extension=$extension", '-d', 'opa.enabled=0',
			'-d', "opa.spool_dir=$this->directory/none", self::top() . '/viewer/main.php', 'status',
			'--spool', "$this->directory/spool", '--no-import'],
			['OTEL_TRACES_SAMPLER' => 'sometimes', 'XDEBUG_MODE' => 'off', 'COLUMNS' => '200']);
		$this->assertSame('', $result->err);
		$this->assertStringContainsString(
			'Warning    OTEL_TRACES_SAMPLER is ignored: opa does not know "sometimes"', $result->out);
		$this->assertDirectoryDoesNotExist("$this->directory/none");
	}

	public function testTheCountersAreThoseOfTheControlFile(): void
	{
		$header = (string) file_get_contents(self::top() . '/export/opa_control.h');
		preg_match_all('/X\([A-Z_]+, "([a-z_]+)"/', $header, $names);
		$this->assertSame($names[1], \Opa\Viewer\Spool::COUNTERS);
	}
}
