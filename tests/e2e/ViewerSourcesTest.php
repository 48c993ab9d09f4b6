<?php

declare(strict_types=1);

namespace Opa\Tests;

/** Which store is read, as whom, and that the journals are brought in before. */
final class ViewerSourcesTest extends ViewerSystemTestCase
{
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
		$this->assertSame('--spool ' . $this->mySpool() . " --once --local\n", $this->calls());
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

	public function testWhereOneServesTheSpoolNoneIsNeeded(): void
	{
		$this->spool($this->mySpool(), 'still here');
		$lease = fopen($this->mySpool() . '/lease', 'w');
		flock($lease, LOCK_EX);
		$result = $this->inRoot(['list'], $this->exporter('exit 0'));
		$this->assertSame('', $this->calls());
		$this->assertStringContainsString('still here', $result->out);
		$this->assertStringContainsString('behind: the exporter has not brought in everything yet', $result->err);
		$json = json_decode($this->inRoot(['status', '--no-import', '--json'])->out, true);
		$this->assertTrue($json['spools'][0]['exporter_running']);
	}

	public function testWhatStandsInItsWayIsSaid(): void
	{
		$this->spool($this->mySpool(), 'still here');
		file_put_contents($this->mySpool() . '/state', "pid=1\nproblem=no room on /srv\n");
		$result = $this->inRoot(['list'], $this->exporter('exit 3'));
		$this->assertStringContainsString('still here', $result->out);
		$this->assertStringContainsString('the store may be behind: no room on /srv', $result->err);
	}

	public function testWithStoreOnlySpoolsThatLeadThereAreBroughtIn(): void
	{
		$this->spool($this->mySpool());
		$path = $this->fixtureStore();
		$env = $this->exporter('exit 0');
		$this->assertSame(0, $this->inRoot(['list', '--store', $path], $env)->code);
		$this->assertSame('', $this->calls());
		$this->inRoot(['list', '--store', $this->mySpool() . '/store'], $env);
		$this->assertSame('--spool ' . $this->mySpool() . " --once --local\n", $this->calls());
	}

	public function testASpoolThatIsNamedIsTheOnlyOne(): void
	{
		$this->spool($this->mySpool(), 'not this');
		$this->spool("$this->directory/elsewhere", 'this one', 1_000_000_000);
		$result = $this->inRoot(['list', '--spool', "$this->directory/elsewhere"], $this->exporter('exit 0'));
		$this->assertSame("--spool $this->directory/elsewhere --once --local\n", $this->calls());
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
		$counters[4] = 1100;
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
			'not running: last heard of ', ' s ago, 4 traces and 20 spans',
			'Problem    no room', 'disk \e[2J full (10 min ago)', '0 traces kept of 5 started',
			'Sampling   2,200 traces not wanted by the sampler',
			'45 spans dropped: opa.spool_max_size was reached', '5 values cut'] as $text) {
			$this->assertStringContainsString($text, $result->out);
		}
		$json = json_decode($this->inRoot(['status', '--no-import', '--json'])->out, true);
		$this->assertSame(['spans_dropped_spool_full' => 45, 'values_cut' => 5], $json['losses']);
	}

	/** They have made no file of their own, and the exporter has not been there since. */
	public function testStatusCountsWhatProcessesHaveHandedOver(): void
	{
		$this->spool($this->mySpool())->counter('spans_dropped_disk_full', 5);
		$this->assertStringContainsString('Lost       5 spans', $this->inRoot(['status', '--no-import'])->out);
		file_put_contents($this->mySpool() . '/counters', str_pad(pack('LSS', 0x4341504f, 1, 2)
			. str_repeat("\0", 40) . pack('q*', 0, 0, 0, 0, 0, 0, 7), 4096, "\0"));
		$json = json_decode($this->inRoot(['status', '--no-import', '--json'])->out, true);
		$this->assertSame(['spans_dropped_disk_full' => 12], $json['losses']);
		$this->assertNull($json['spools'][0]['uncounted']);
	}

	/** A process is gone if there is none with its pid and start time; else the lock tells. */
	public function testWhatRanWhenItsProcessDiedIsLost(): void
	{
		$this->spool($this->mySpool());
		$stat = explode(' ', (string) preg_replace('/^.*\\) /', '', (string) file_get_contents('/proc/self/stat')));
		$boot = unpack('J', hex2bin(substr(str_replace('-', '',
			(string) file_get_contents('/proc/sys/kernel/random/boot_id')), 0, 16)))[1];
		$namespaces = stat('/proc/self/ns/pid')['ino'] | (stat('/proc/self/ns/time')['ino'] ?? 0) << 32;
		$me = [getmypid(), $namespaces, (int) $stat[19], $boot, 0];
		$nobody = [999_999_999] + $me;
		$unknown = [0, 0, 0, 0, 0];
		$file = fn (string $name, array $owner, int $running): int|false => file_put_contents(
			$this->mySpool() . "/control/$name", str_pad(pack("LSSq5", 0x4341504f, 1, 0, ...array_map(static fn (int $i): int => $owner[$i], range(0, 4)))
			. str_repeat("\0", 63 * 8) . pack('q', $running), 4096, "\0"));
		$lost = fn (): array => json_decode($this->inRoot(['status', '--no-import', '--json'])->out, true)['losses'];
		$file('a.c', $me, 1);
		$file('b.c', $unknown, 10);
		$lock = fopen($this->mySpool() . '/control/b.c', 'r');
		flock($lock, LOCK_EX);
		$this->assertSame([], $lost());
		fclose($lock);
		$this->assertSame(['traces_lost' => 10], $lost());
		$file('c.c', $nobody, 100);
		$file('d.c', [2 => $me[2] + 1] + $me, 1000);
		$file('e.c', [3 => $boot + 1] + $me, 10_000);
		$file('f.d', $me, 100_000); // claimed by an exporter, which has asked
		$this->assertSame(['traces_lost' => 111_110], $lost());
		$out = $this->inRoot(['status', '--no-import'])->out;
		$this->assertStringContainsString('Lost       111,110 traces lost: their process died', $out);
		$this->assertStringContainsString('kept of 111,110 started', $out);
	}

	public function testStatusDoesNotSayThatNothingIsLostWhereNobodyCouldCount(): void
	{
		$builder = $this->spool($this->mySpool());
		touch($this->mySpool() . '/counters');
		$out = $this->inRoot(['status', '--no-import'])->out;
		$this->assertStringContainsString('Lost       not known: there was no room to count', $out);
		$this->assertStringNotContainsString('nothing', $out);
		$builder->counter('values_cut', 5);
		$out = $this->inRoot(['status', '--no-import'])->out;
		$this->assertMatchesRegularExpression('/Lost       5 values cut.*\n +and more, perhaps: there was/', $out);
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
		$lease = fopen($this->mySpool() . '/lease', 'c');
		$this->assertTrue(flock($lease, LOCK_EX | LOCK_NB), 'the exporter has it while it lives');
		$pid = getmypid();
		try {
			$state = fn (int $age): int|false => file_put_contents($this->mySpool() . '/state',
				"pid=$pid\nupdated=" . (time() - $age) . "\n");
			$state(8);
			$this->assertStringNotContainsString('Problem', $this->inRoot(['status', '--no-import'])->out);
			$state(100);
			$this->assertStringContainsString("(pid $pid) hangs", $this->inRoot(['status', '--no-import'])->out);
		} finally {
			fclose($lease);
		}
	}

	public function testStatusDoesNotTakeItsOwnImportForTheExporter(): void
	{
		$this->spool($this->mySpool());
		$state = $this->mySpool() . '/state';
		file_put_contents($state, "pid=999999999\nstarted=1700000000\nupdated=" . (time() - 7200)
			. "\nstopped=" . (time() - 7200) . "\n");
		$env = $this->exporter("printf 'pid=1\nstopped=" . time() . "\nproblem=no room\n' > '$state'; exit 0");
		$out = $this->inRoot(['status'], $env)->out;
		$this->assertStringContainsString('it left in order 2 h ago', $out);
		$this->assertStringContainsString('Problem    no room', $out);
	}

	public function testAnExporterThatCouldNotBeStartedIsNoLoss(): void
	{
		$this->spool($this->mySpool())->counter('exporter_failed', 3);
		$out = $this->inRoot(['status', '--no-import'])->out;
		$this->assertStringContainsString('Start      the exporter could not be started 3 times', $out);
		$this->assertStringContainsString('Lost       nothing', $out);
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
		$this->assertSame($names[1], \Opa\Viewer\ControlFiles::COUNTERS);
	}
}
