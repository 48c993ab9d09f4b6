<?php

declare(strict_types=1);

namespace Opa\Tests;

final class ViewerCommandLineTest extends ViewerTestCase
{
	/** @dataProvider commands */
	public function testEveryCommandHasHelpWithExamples(string $command): void
	{
		$result = self::opa([$command, '--help']);
		$this->assertSame([0, ''], [$result->code, $result->err]);
		$this->assertStringContainsString("  opa $command", $result->out);
		$this->assertStringContainsString('Examples', $result->out);
		$this->assertSame($result->out, self::opa(['help', $command])->out);
	}

	public static function commands(): array
	{
		return [['list'], ['show'], ['tail'], ['stats'], ['status'], ['sql']];
	}

	/** @dataProvider commands */
	public function testHelpFitsNarrowTerminals(string $command): void
	{
		foreach ([40, 60, 80] as $columns) {
			foreach ([[$command, '--help'], []] as $arguments) {
				foreach (self::opa($arguments, ['COLUMNS' => (string) $columns])->lines() as $line) {
					$this->assertLessThanOrEqual($columns, strlen($line), $line);
				}
			}
		}
	}

	public function testWithoutACommandItSaysWhatThereIs(): void
	{
		$result = self::opa([]);
		$this->assertSame(0, $result->code);
		foreach (self::commands() as [$command]) {
			$this->assertMatchesRegularExpression("/^  $command  +\\w/m", $result->out);
		}
	}

	public function testVersion(): void
	{
		$this->assertMatchesRegularExpression('/^opa \d+\.\d+\.\d+ \(PHP 8/', self::opa(['--version'])->out);
	}

	public function testAnUnknownCommandIsAnsweredWithTheNearest(): void
	{
		$result = self::opa(['lsit']);
		$this->assertSame([2, ''], [$result->code, $result->out]);
		$this->assertStringContainsString("did you mean 'list'?", $result->err);
	}

	public function testGlobalOptionsMayStandInFront(): void
	{
		$path = $this->fixtureStore();
		$this->assertSame(0, self::opa(['--no-import', '--store', $path, 'list'])->code);
		$this->assertSame(0, self::opa(["--store=$path", '--no-import', 'list'])->code);
	}

	public function testAStoreThatIsNotThereIsSaid(): void
	{
		$result = self::opa(['list', '--store', "$this->directory/nowhere.db"]);
		$this->assertSame([1, ''], [$result->code, $result->out]);
		$this->assertStringContainsString("there is no store at $this->directory/nowhere.db", $result->err);
	}

	/** @dataProvider notStores */
	public function testAFileThatIsNoStoreIsRefused(string $sql, string $message): void
	{
		$path = "$this->directory/x.db";
		$sql === '' ? file_put_contents($path, str_repeat('not a database ', 100))
			: (new \PDO("sqlite:$path"))->exec($sql);
		$result = self::opa(['list', '--store', $path]);
		$this->assertSame(1, $result->code);
		$this->assertStringContainsString($message, $result->err);
	}

	public static function notStores(): array
	{
		return [
			'not SQLite' => ['', "is not a store of opa's: file is not a database"],
			'another program' => ['CREATE TABLE t (x)', "is not a store of opa's"],
			'a newer opa' => ['CREATE TABLE traces (x); PRAGMA user_version = 2', 'made by a newer opa'],
		];
	}

	public function testColourOnlyForTerminalsUnlessAskedFor(): void
	{
		$this->assertStringNotContainsString("\e", $this->onFixtures('list')->out);
		$this->assertStringContainsString("\e[", $this->onFixtures('list', '--color=always')->out);
	}

	/** @dataProvider terminals */
	public function testInATerminal(array $env, string $option, bool $colored): void
	{
		if (!is_executable('/usr/bin/script')) {
			$this->markTestSkipped('script(1) is not installed');
		}
		$path = $this->fixtureStore();
		$line = implode(' ', array_map('escapeshellarg',
			[...self::command(), 'list', '--store', $path, '--no-import', $option]));
		$result = self::execute(['script', '-qec', $line, '/dev/null'], $env + ['TERM' => 'xterm']);
		$this->assertStringContainsString('POST', $result->out);
		$this->assertSame($colored, str_contains($result->out, "\e["));
	}

	public static function terminals(): array
	{
		return [
			'colour' => [[], '--color=auto', true],
			'NO_COLOR' => [['NO_COLOR' => '1'], '--color=auto', false],
			'an empty NO_COLOR counts as unset' => [['NO_COLOR' => ''], '--color=auto', true],
			'dumb' => [['TERM' => 'dumb'], '--color=auto', false],
			'never' => [[], '--color=never', false],
			'always' => [['NO_COLOR' => '1'], '--color=always', true],
		];
	}

	public function testAClosedPipeEndsItQuietly(): void
	{
		$path = $this->fixtureStore();
		$opa = escapeshellarg(self::command()[0]);
		$line = "$opa show b16b --all --tags --store '$path' --no-import 2>'$this->directory/err' | head -n1;"
			. ' echo "${PIPESTATUS[0]}"';
		$result = self::execute(['bash', '-c', $line]);
		$this->assertSame(['GET /report  200  shop', '0'], $result->lines());
		$this->assertSame('', file_get_contents("$this->directory/err"));
	}

	/** @dataProvider emptyValues */
	public function testAnEmptyValueOfAPlaceIsRefused(string $option): void
	{
		$result = self::opa(['list', $option, '']);
		$this->assertSame([2, ''], [$result->code, $result->out]);
		$this->assertStringContainsString("$option needs a value", $result->err);
	}

	public static function emptyValues(): array
	{
		return [['--store'], ['--spool'], ['--user']];
	}

	public function testItWorksThroughSymlinks(): void
	{
		mkdir("$this->directory/bin");
		symlink(self::top() . '/bin/opa', "$this->directory/one");
		symlink('../one', "$this->directory/bin/opa");
		$this->assertSame(0, self::execute(["$this->directory/bin/opa", '--version'])->code);
	}

	public function testItWorksInstalled(): void
	{
		foreach (['prefix', 'prefix/bin', 'prefix/share', 'prefix/share/opa'] as $folder) {
			mkdir("$this->directory/$folder");
		}
		copy(self::top() . '/bin/opa', "$this->directory/prefix/bin/opa");
		chmod("$this->directory/prefix/bin/opa", 0755);
		foreach (glob(self::top() . '/viewer/*.php') as $file) {
			copy($file, "$this->directory/prefix/share/opa/" . basename($file));
		}
		$this->assertSame(0, self::execute(["$this->directory/prefix/bin/opa", '--version'])->code);
	}

	public function testAMissingPhpIsNamed(): void
	{
		$result = self::opa(['list'], ['OPA_PHP' => '/nowhere/php']);
		$this->assertSame(1, $result->code);
		$this->assertStringContainsString("'/nowhere/php' was not found", $result->err);
	}

	public function testABarePhpIsEnough(): void
	{
		$path = $this->fixtureStore();
		$php = "$this->directory/php";
		file_put_contents($php, "#!/bin/sh\nexec " . PHP_BINARY
			. " -n -d extension=pdo -d extension=pdo_sqlite \"\$@\"\n");
		chmod($php, 0755);
		foreach (['list', 'show last --tags --events --self', 'stats -n 99', 'status', "sql 'SELECT 1'"] as $command) {
			$result = self::execute(['sh', '-c', escapeshellarg(self::command()[0])
				. " $command --store '$path' --no-import"], ['OPA_PHP' => $php]);
			$this->assertSame([0, ''], [$result->code, $result->err], $command);
		}
	}

	public function testWithoutPdoSqliteItSaysWhatToInstall(): void
	{
		$result = self::execute([PHP_BINARY, '-n', self::top() . '/viewer/main.php', 'list']);
		$this->assertSame(1, $result->code);
		$this->assertStringContainsString('has no pdo_sqlite', $result->err);
	}
}
