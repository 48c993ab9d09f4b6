<?php

declare(strict_types=1);

namespace Opa\Tests;

/** How the output gets out: to terminals, pagers, full disks. */
final class ViewerOutputTest extends ViewerTestCase
{
	/**
	 * In a terminal of 12 lines and 80 columns.
	 * @param array<string, string> $env
	 */
	private function inTerminal(array $arguments, array $env = []): Result
	{
		if (!is_executable('/usr/bin/script')) {
			$this->markTestSkipped('script(1) is not installed');
		}
		$line = 'stty rows 12 cols 80; ' . implode(' ', array_map('escapeshellarg',
			[...self::command(), ...$arguments, '--store', "$this->directory/traces.db", '--no-import']));
		return self::execute(['timeout', '60', 'script', '-qec', $line, '/dev/null'], $env + ['TERM' => 'xterm', 'PAGER' => 'cat']);
	}

	/** @dataProvider outputs */
	public function testAFullDiskIsAProblem(string $arguments): void
	{
		$path = $this->fixtureStore();
		$opa = escapeshellarg(self::command()[0]);
		$result = self::execute(['sh', '-c', "$opa $arguments --store '$path' --no-import > /dev/full"]);
		$this->assertSame(1, $result->code);
		$this->assertSame("opa: the output could not be written: No space left on device\n", $result->err);
	}

	public static function outputs(): array
	{
		return [['list'], ['sql --csv "SELECT * FROM spans"'], ['show b16b --all --tags'], ['--help']];
	}

	public function testWhatIsLongerThanTheTerminalGoesToThePager(): void
	{
		$this->fixtureStore();
		$pager = ['PAGER' => "sed 's/^/> /'"];
		$result = $this->inTerminal(['show', '4bf9', '--color=never'], $pager);
		$this->assertStringStartsWith('> POST /checkout', $result->out);
		$this->assertSame(0, $result->code);
		$this->assertStringStartsWith('TRACE', $this->inTerminal(['list', '--color=never'], $pager)->out);
		$this->assertStringStartsWith('POST',
			$this->inTerminal(['show', '4bf9', '--color=never', '--no-pager'], $pager)->out);
		$this->assertStringStartsWith('POST',
			$this->inTerminal(['show', '4bf9', '--color=never'], ['PAGER' => 'cat'])->out);
	}

	public function testAPagerThatIsLeftEarlyEndsItQuietly(): void
	{
		$this->fixtureStore();
		$result = $this->inTerminal(['show', 'b16b', '--all', '--tags', '--color=never'], ['PAGER' => 'head -n1']);
		$this->assertSame([0, "GET /report  200  shop\r\n"], [$result->code, $result->out]);
	}

	public function testAListThatIsCutSaysSo(): void
	{
		$this->fixtureStore();
		$result = $this->inTerminal(['list', '-n', '2', '--color=never']);
		$this->assertStringContainsString('there are older ones: -n 10 shows more', $result->out);
		$this->assertStringNotContainsString('older', $this->inTerminal(['list', '-n', '8'])->out);
	}

	/** @dataProvider locales */
	public function testWhereTheLocaleIsNotUtf8ItDrawsInAscii(array $env, bool $ascii): void
	{
		$path = $this->fixtureStore();
		$out = self::opa(['show', '4bf9', '--store', $path, '--no-import'], $env + ['COLUMNS' => '90'])->out;
		$this->assertSame($ascii, preg_match('/[\x80-\xff]/', $out) === 0, $out);
		$this->assertStringContainsString($ascii ? '|- load cart' : '├─ load cart', $out);
		$json = self::opa(['list', '--json', '--service', '店', '--store', $path, '--no-import'], $env)->out;
		$this->assertStringContainsString('店', $json);
	}

	public static function locales(): array
	{
		return [[['LANG' => 'C'], true], [['LANG' => 'de_DE.ISO-8859-1'], true],
			[['LC_ALL' => 'POSIX', 'LANG' => 'C.UTF-8'], true], [['LANG' => 'en_US.UTF-8'], false],
			[['LC_CTYPE' => 'C.utf8', 'LANG' => 'C'], false], [[], false]];
	}

	public function testWhatIsPipedIsNoWiderThanTheTerminal(): void
	{
		$this->fixtureStore();
		$line = 'stty rows 12 cols 60; ' . escapeshellarg(self::command()[0])
			. " show 4bf9 --store '$this->directory' --no-import | cat";
		$result = self::execute(['script', '-qec', $line, '/dev/null']);
		$this->assertStringContainsString('POST /checkout', $result->out);
		foreach (explode("\r\n", $result->out) as $text) {
			$this->assertLessThanOrEqual(60, \Opa\Viewer\Text::width($text), $text);
		}
	}
}
