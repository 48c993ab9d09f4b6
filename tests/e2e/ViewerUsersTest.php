<?php

declare(strict_types=1);

namespace Opa\Tests;

use Opa\Viewer\Output;
use Opa\Viewer\Relay;

/** Whose traces are read, and that one user can do nothing to another who looks: least of all to root. */
final class ViewerUsersTest extends ViewerSystemTestCase
{
	private const THEIRS = '/dev/shm/opa-33';

	/** Open while the test runs, as the exporter's is: its -shm file has to be there. */
	private ?StoreBuilder $open = null;

	protected function setUp(): void
	{
		parent::setUp();
		$this->needsRoot();
	}

	/** @var list<resource> */
	private array $processes = [];

	protected function tearDown(): void
	{
		foreach ($this->processes as $process) {
			proc_terminate($process, 9); // what works for it notices, and goes too
			proc_close($process);
		}
		parent::tearDown();
	}

	/** Where a program that another user runs can write. */
	private function logFile(string $name): string
	{
		$path = "$this->directory/$name";
		touch($path);
		chmod($path, 0666);
		return $path;
	}

	private function theirSpool(string $span = 'theirs', int $start = 0): string
	{
		$this->spool($this->directory . self::THEIRS, $span, $start, self::OTHER);
		return $this->directory . self::THEIRS;
	}

	public function testRootBecomesTheOwnerAndLeavesNoFileOfItsOwn(): void
	{
		$spool = $this->theirSpool();
		$log = $this->logFile('who');
		$this->logFile('calls');
		$result = $this->inRoot(['list'], $this->exporter("id -un > '$log'; echo \"\$HOME\" >> '$log'")
			+ ['XDG_STATE_HOME' => '/root/x']);
		$this->assertStringContainsString('theirs', $result->out, $result->err);
		$this->assertSame([0, ''], [$result->code, $result->err]);
		$this->assertSame(self::OTHER . "\n/var/www\n", file_get_contents($log));
		foreach (new \RecursiveIteratorIterator(new \RecursiveDirectoryIterator($spool,
			\FilesystemIterator::SKIP_DOTS)) as $file) {
			$this->assertSame(33, $file->getOwner(), (string) $file);
		}
		$this->assertFileExists("$spool/store/traces.db-shm");
	}

	/** He could type into it, and root's shell would do what he typed. */
	public function testWhatRunsAsTheOwnerHasNoTerminalNoDescriptorAndNoVariableOfRoots(): void
	{
		if (!is_executable('/usr/bin/script')) {
			$this->markTestSkipped('script(1) is not installed');
		}
		$this->theirSpool();
		$log = $this->logFile('seen');
		$this->logFile('calls');
		$env = $this->exporter("{ cut -d' ' -f7 /proc/self/stat; cut -d' ' -f7 /proc/\$PPID/stat; "
			. "ls -l /proc/self/fd; env; ( : </dev/tty ) && echo opened; } > '$log' 2>&1");
		$line = 'exec 9<>/dev/tty; exec ' . implode(' ', array_map('escapeshellarg', [PHP_BINARY,
			self::top() . '/tests/e2e/fixtures/viewer-in-root.php', $this->directory, 'list']));
		$result = self::execute(['script', '-qec', $line, '/dev/null'],
			$env + ['TERM' => 'xterm', 'COLUMNS' => '100', 'SECRET_OF_ROOT' => 'x']);
		$this->assertStringContainsString('theirs', $result->out);
		$this->assertStringContainsString("\e[", $result->out, 'colours, as in a terminal');
		$seen = (string) file_get_contents($log);
		$this->assertSame(['0', '0'], array_slice(explode("\n", $seen), 0, 2), $seen);
		$this->assertStringNotContainsString('opened', $seen);
		$this->assertStringNotContainsString('/dev/pts', $seen);
		$this->assertStringNotContainsString('SECRET_OF_ROOT', $seen);
	}

	public function testOfWhatComesBackOnlyTextAndColoursReachTheTerminal(): void
	{
		$stream = fopen('php://memory', 'w+');
		$out = new Output($stream, true, true, 80);
		$text = '\033[31mred\033[0m \033]0;title\007 \033[2J \342\200\256\nsecond\n';
		$process = proc_open(['/usr/bin/printf', $text],
			[['pipe', 'r'], ['pipe', 'w'], ['pipe', 'w']], $pipes);
		$this->assertSame(0, (new Relay($out, $out, false))->run($process, $pipes));
		rewind($stream);
		$this->assertSame("\e[31mred\e[0m \\e]0;title\\x07 \\e[2J \\u{202e}\nsecond\n",
			stream_get_contents($stream));
	}

	public function testWithoutPosixItSaysWhatToDoInstead(): void
	{
		$spool = $this->theirSpool();
		$result = self::execute([PHP_BINARY, '-n', '-d', 'extension=pdo', '-d', 'extension=pdo_sqlite',
			self::top() . '/viewer/main.php', 'list', '--spool', $spool]);
		$this->assertSame([1, ''], [$result->code, $result->out]);
		$this->assertStringContainsString('sudo -u ' . self::OTHER . " opa list --spool $spool", $result->err);
	}

	public function testTheExitCodeAndTheErrorsAreTheCommands(): void
	{
		$this->theirSpool();
		$this->assertSame(2, $this->inRoot(['list', '--min', 'x', '--no-import'])->code);
		$result = $this->inRoot(['sql', 'SELECT nonsense', '--no-import']);
		$this->assertSame([1, ''], [$result->code, $result->out]);
		$this->assertStringContainsString('no such column', $result->err);
	}

	/** @dataProvider endsOfTail */
	public function testWhenRootsViewerGoesTheOneThatWorksForItGoesToo(int $signal): void
	{
		$this->theirSpool();
		$process = proc_open([PHP_BINARY, self::top() . '/tests/e2e/fixtures/viewer-in-root.php',
			$this->directory, 'tail', '--no-import'], [['file', '/dev/null', 'r'],
			['file', "$this->directory/output", 'w'], ['file', "$this->directory/errors", 'w']], $pipes, null,
			['PATH' => (string) getenv('PATH'), 'HOME' => '/nonexistent']);
		$this->processes[] = $process;
		self::await(fn (): bool => str_contains((string) file_get_contents("$this->directory/output"), 'TRACE'),
			'the first line');
		$pid = proc_get_status($process)['pid'];
		$worker = (int) trim(self::execute(['ps', '-o', 'pid=', '--ppid', (string) $pid])->out);
		$this->assertStringContainsString("Uid:\t33\t33\t33\t33\n", file_get_contents("/proc/$worker/status"));
		proc_terminate($process, $signal);
		self::await(fn (): bool => !proc_get_status($process)['running'], 'the end');
		self::await(static fn (): bool => preg_match('/^State:\s+[^ZX]/m',
			(string) @file_get_contents("/proc/$worker/status")) !== 1, "the worker's end");
	}

	public static function endsOfTail(): array
	{
		return ['asked to' => [SIGTERM], 'killed' => [SIGKILL]];
	}

	public function testACsvComesThroughByteForByte(): void
	{
		$this->theirSpool();
		$result = $this->inRoot(['sql', '--csv', "SELECT x'1b5b324a' || char(7) AS x", '--no-import']);
		$this->assertSame("x\r\n\e[2J\x07\r\n", $result->out);
	}

	/** @dataProvider wrongUses */
	public function testAWrongUseIsAllThatIsSaid(string ...$words): void
	{
		$this->spool("$this->directory/dev/shm/opa-0", "root's", 1_000_000_000);
		$this->theirSpool();
		$result = $this->inRoot($words);
		$this->assertSame([2, ''], [$result->code, $result->out]);
		$this->assertMatchesRegularExpression("/^opa: .*\n  See 'opa $words[0] --help'\.\n$/", $result->err);
	}

	public static function wrongUses(): array
	{
		return [['list', '--limit', '0'], ['list', '--sort', 'x'], ['list', '--since', 'x'], ['tail', '--min', 'x'],
			['show'], ['show', 'zz'], ['stats', '--sort', 'x'], ['stats', '--limit', '0'], ['sql'],
			['sql', 'DELETE FROM spans'], ['sql', 'SELECT 1', '--json', '--csv']];
	}

	/** Anybody can set a time. */
	public function testRootSeesItsOwnTracesHoweverNewThoseOfOthersAreAndIsToldOfThem(): void
	{
		$this->spool("$this->directory/dev/shm/opa-0", "root's", 1_000_000_000);
		$this->theirSpool('theirs', self::now() + 9_000_000_000);
		$result = $this->inRoot(['list', '--no-import']);
		$this->assertStringContainsString("root's", $result->out);
		$this->assertStringNotContainsString('theirs', $result->out);
		$this->assertStringContainsString("these are root's own traces. There are also those of www-data (--user)",
			$result->err);
		$result = $this->inRoot(['list', '--no-import', '--user', self::OTHER]);
		$this->assertStringContainsString('theirs', $result->out);
		$this->assertSame('', $result->err);
	}

	public function testBetweenSeveralUsersRootHasToChoose(): void
	{
		$this->theirSpool();
		$this->spool("$this->directory/dev/shm/opa-1", 'x', 0, 'daemon');
		$result = $this->inRoot(['list', '--no-import', '-n', '3']);
		$this->assertSame([1, ''], [$result->code, $result->out]);
		$this->assertStringContainsString('opa list --no-import -n 3 --user ' . self::OTHER, $result->err);
		$this->assertStringContainsString('opa list --no-import -n 3 --user daemon', $result->err);
		$this->assertSame(0, $this->inRoot(['list', '--no-import', '--user', 'daemon'])->code);
	}

	public function testAnotherUsersTracesAreNamedWithTheCommandThatShowsThem(): void
	{
		$this->theirSpool();
		$result = $this->inRoot(['list', '--tag', 'a=b c'], [], 'nobody');
		$this->assertSame([1, ''], [$result->code, $result->out]);
		$this->assertStringContainsString('nobody has no traces, but ' . self::OTHER . ' has', $result->err);
		$this->assertStringContainsString('sudo -u ' . self::OTHER . " opa list --tag 'a=b c'", $result->err);
	}

	/** @dataProvider commandsForOthers */
	public function testTheCommandThatItNamesIsOneThatWorks(array $arguments, string $user, string $command): void
	{
		$this->theirSpool();
		$store = "$this->directory/theirs.db";
		new StoreBuilder($store);
		chown($store, 33);
		chmod($store, 0600);
		$place = fn (string $text): string => strtr($text, ['STORE' => $store, 'SPOOL' => $this->directory
			. self::THEIRS]);
		$result = $this->inRoot(array_map($place, $arguments), [], $user);
		$this->assertSame([1, ''], [$result->code, $result->out]);
		$this->assertStringContainsString($place($command) . "\n", "$result->err\n");
	}

	public static function commandsForOthers(): array
	{
		return [
			'a store' => [['list', '--store', 'STORE'], 'nobody', "sudo -u www-data opa list --store STORE"],
			'a spool' => [['show', 'last', '--spool=SPOOL'], 'nobody',
				"sudo -u www-data opa show last --spool=SPOOL"],
			'a user' => [['list', '--user', 'www-data'], 'nobody', 'sudo -u www-data opa list'],
			'root' => [['list', '--user=root', '--error'], 'nobody', 'sudo opa list --error --user root'],
			'a number without a name' => [['list', '--user', '99999'], 'nobody',
				"sudo -u '#99999' opa list"],
		];
	}

	public function testAUserWithoutANameIsNobodyElse(): void
	{
		$result = $this->inRoot(['list', '--user', '99999']);
		$this->assertSame([1, ''], [$result->code, $result->out]);
		$this->assertStringContainsString("no traces of 99999's were found", $result->err);
	}

	/** @dataProvider traps */
	public function testWhatAnotherUserLaysOutIsNotTouched(string $sabotage): void
	{
		$spool = $this->theirSpool('theirs', self::now() + 9_000_000_000);
		chmod($spool, 0755);
		chmod("$spool/dest", 0755);
		chmod("$spool/live", 0755);
		self::execute(['sh', '-c', str_replace('SPOOL', $spool, $sabotage)]);
		$this->spool("$this->directory/dev/shm/opa-65534", 'mine', 0, 'nobody');
		foreach (['list', 'status'] as $command) {
			$result = self::execute(['timeout', '20', 'setpriv', '--reuid=nobody', '--regid=65534',
				'--clear-groups', PHP_BINARY, self::top() . '/tests/e2e/fixtures/viewer-in-root.php',
				$this->directory, $command, '--no-import'], ['COLUMNS' => '120']);
			$this->assertSame([0, ''], [$result->code, $result->err], $command);
			$this->assertStringNotContainsString('theirs', $result->out);
		}
	}

	public static function traps(): array
	{
		return [
			'a FIFO for the state' => ['rm -f SPOOL/state; mkfifo -m 666 SPOOL/state'],
			'a FIFO for a destination' => ['mkfifo -m 666 SPOOL/dest/fedcba9876543210'],
			'an open store' => ['chmod 755 SPOOL/store; chmod 644 SPOOL/store/*'],
		];
	}

	/** @dataProvider ownTraps */
	public function testInASpoolOfOnesOwnOnlyRegularFilesOfOnesOwnAreRead(string $sabotage): void
	{
		$this->spool($this->mySpool(), 'mine');
		self::execute(['sh', '-c', str_replace(['SPOOL', 'DIR'], [$this->mySpool(), $this->directory],
			$sabotage)]);
		mkdir("$this->directory/trap");
		$trap = new StoreBuilder("$this->directory/trap/traces.db");
		$trap->trace($trap->id(), [['name' => 'from the trap', 'ms' => 1]],
			['start' => self::now() + 9_000_000_000]);
		$result = self::execute(['timeout', '20', PHP_BINARY, self::top()
			. '/tests/e2e/fixtures/viewer-in-root.php', $this->directory, 'list', '--no-import']);
		$this->assertSame([0, ''], [$result->code, $result->err]);
		$this->assertStringContainsString('mine', $result->out);
		$this->assertStringNotContainsString('from the trap', $result->out);
	}

	public static function ownTraps(): array
	{
		$line = "printf 'type=store\\npath=DIR/trap\\n' > DIR/line";
		return [
			'a FIFO' => ['mkfifo SPOOL/state'],
			'a link' => ["$line; ln -s DIR/line SPOOL/dest/fedcba9876543210"],
			"another's file" => ["$line; chown www-data DIR/line; mv DIR/line SPOOL/dest/fedcba9876543210"],
		];
	}

	public function testADirectoryThatOthersCanWriteIntoIsNoSpool(): void
	{
		$this->spool($this->mySpool());
		chmod($this->mySpool(), 0777);
		$this->assertSame(1, $this->inRoot(['list'], $this->exporter('exit 0'))->code);
		$this->assertSame('', $this->calls());
	}

	/** A query over a view may have no end. */
	public function testAStoreWhoseTablesAreViewsIsRefused(): void
	{
		$path = "$this->directory/x.db";
		$db = new \PDO("sqlite:$path");
		$db->exec('PRAGMA user_version = 1');
		foreach (['spans', 'resources', 'positions', 'counters'] as $table) {
			$db->exec("CREATE TABLE $table (x)");
		}
		$db->exec('CREATE VIEW traces AS WITH RECURSIVE n(seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n)
			SELECT seq, seq AS start_ns FROM n');
		$result = self::execute(['timeout', '20', ...self::command(), 'list', '--store', $path]);
		$this->assertSame([1, ''], [$result->code, $result->out]);
		$this->assertStringContainsString("is not a store of opa's", $result->err);
	}

	/** SQLite would open them, too. */
	public function testAStoreBesideWhichLieFilesOfAnotherKindIsRefused(): void
	{
		$path = "$this->directory/x.db";
		$builder = new StoreBuilder($path);
		$builder->db->exec('PRAGMA wal_checkpoint(TRUNCATE)');
		@unlink("$path-shm");
		posix_mkfifo("$path-shm", 0600);
		$result = self::execute(['timeout', '20', ...self::command(), 'list', '--store', $path]);
		$this->assertSame([1, ''], [$result->code, $result->out]);
		$this->assertStringContainsString("$path-shm is not a file of the store's owner", $result->err);
	}

	private function groupStore(string $place, string $span): string
	{
		$path = "$this->directory/$place";
		mkdir($path, 0755, true);
		$this->open = new StoreBuilder("$path/traces.db");
		$this->open->trace($this->open->id(), [['name' => $span, 'ms' => 1]],
			['start' => self::now() + 9_000_000_000]);
		foreach ([$path, ...glob("$path/*")] as $file) {
			chown($file, 33);
			chgrp($file, 65534);
			chmod($file, is_dir($file) ? 02750 : 0640);
		}
		return $path;
	}

	public function testAMemberOfTheStoresGroupReadsIt(): void
	{
		$this->groupStore('var/lib/opa/33', 'theirs');
		$this->assertStringContainsString('theirs', $this->inRoot(['list'], [], 'nobody')->out);
		$this->assertSame(0, $this->inRoot(['list', '--user', self::OTHER], [], 'nobody')->code);
		$result = $this->inRoot(['list', '--user', 'daemon'], [], 'nobody');
		$this->assertSame(1, $result->code);
		$this->assertStringContainsString("there is no trace of daemon's that nobody may read", $result->err);
		$this->assertStringContainsString('opa list --store PATH', $result->err);
	}

	public function testOnesOwnStoreGoesBeforeThoseOfAGroup(): void
	{
		$this->groupStore('var/lib/opa/33', 'theirs');
		$this->spool("$this->directory/dev/shm/opa-65534", 'mine', 0, 'nobody');
		$this->assertStringContainsString('mine', $this->inRoot(['list', '--no-import'], [], 'nobody')->out);
		$this->assertStringContainsString('theirs',
			$this->inRoot(['list', '--no-import', '--user', self::OTHER], [], 'nobody')->out);
	}

	/** @dataProvider notForTheGroup */
	public function testAStoreThatIsNotOpenToOnesGroupIsNot(callable $change): void
	{
		$path = $this->groupStore('var/lib/opa/33', 'theirs');
		$change($path);
		$this->assertStringNotContainsString('theirs', $this->inRoot(['list'], [], 'nobody')->out);
	}

	public static function notForTheGroup(): array
	{
		return [
			'the directory is another user\'s' => [static fn (string $p) => chown($p, 1)],
			'others may write into the directory' => [static fn (string $p) => chmod($p, 0777)],
			'the file is everybody\'s' => [static fn (string $p) => chmod("$p/traces.db", 0646)],
		];
	}

	public function testAnUnknownUserIsSaid(): void
	{
		$result = $this->inRoot(['list', '--user', 'nosuchuser']);
		$this->assertSame(1, $result->code);
		$this->assertStringContainsString("no user is called 'nosuchuser'", $result->err);
	}
}
