<?php

declare(strict_types=1);

namespace Opa\Tests;

final class ViewerSqlTest extends ViewerTestCase
{
	private const QUERY = "SELECT 'left' AS t, 7 AS number, NULL AS n, 2.0 AS f
		UNION ALL SELECT 'a longer' || char(9) || 'one', 1234, NULL, 9e999";

	public function testATableInATerminal(): void
	{
		if (!is_executable('/usr/bin/script')) {
			$this->markTestSkipped('script(1) is not installed');
		}
		$line = implode(' ', array_map('escapeshellarg', [...self::command(), 'sql', self::QUERY,
			'--store', $this->fixtureStore(), '--no-import']));
		$result = self::execute(['script', '-qec', $line, '/dev/null'], ['COLUMNS' => '80', 'TERM' => 'dumb']);
		$this->assertSame(["t              number     n         f", "left                7  NULL       2.0",
			'a longer\tone    1234  NULL  Infinity'], explode("\r\n", trim($result->out)));
	}

	public function testTabsBetweenValuesElsewhere(): void
	{
		$this->assertSame("t\tnumber\tn\tf\nleft\t7\tNULL\t2.0\na longer\\tone\t1234\tNULL\tInfinity\n",
			$this->onFixtures('sql', self::QUERY)->out);
	}

	public function testCsv(): void
	{
		$result = $this->onFixtures('sql', '--csv', "SELECT 'a,b' AS x, 'say \"hi\"' AS y, NULL AS z, 1");
		$this->assertSame("x,y,z,1\r\n\"a,b\",\"say \"\"hi\"\"\",,1\r\n", $result->out);
	}

	public function testJson(): void
	{
		$result = $this->onFixtures('sql', '--json', "SELECT 'a' AS x, 1 AS y, NULL AS z, 2.0 AS f");
		$this->assertSame('{"x":"a","y":1,"z":null,"f":2.0}' . "\n", $result->out);
	}

	public function testJsonLosesNoColumnAndHasNoNumberThatJsonLacks(): void
	{
		$result = $this->onFixtures('sql', '--json', "SELECT 1 AS x, 2 AS x, 9e999 AS x, -9e999 AS x_2");
		$this->assertSame('{"x":1,"x_3":2,"x_4":"Infinity","x_2":"-Infinity"}' . "\n", $result->out);
	}

	/** @dataProvider statements */
	public function testOneStatementAtATime(string $sql, int $code): void
	{
		$result = $this->onFixtures('sql', $sql);
		$this->assertSame($code, $result->code, $result->err);
		$this->assertSame($code === 0, !str_contains($result->err, 'one statement at a time'));
	}

	public static function statements(): array
	{
		return [
			['SELECT 1; DELETE FROM spans', 2],
			['SELECT 1; SELECT 2', 2],
			["SELECT ';' /* ; */ -- ;\n; /* over */ ; -- and out", 0],
			["SELECT 'it''s;' AS \"a;b\", 1 AS [c;d], 2 AS `e;f`;", 0],
			["SELECT '/*'; SELECT '*/'", 2],
		];
	}

	/** @dataProvider writes */
	public function testItCannotWrite(string $sql): void
	{
		$path = $this->fixtureStore();
		$result = $this->onFixtures('sql', str_replace('DIR', $this->directory, $sql));
		$db = new \PDO("sqlite:$path");
		$this->assertSame(8, (int) $db->query('SELECT count(*) FROM traces')->fetchColumn());
		$this->assertNotSame(0, $result->code);
		$this->assertFileDoesNotExist("$this->directory/other.db");
	}

	public static function writes(): array
	{
		return [['DELETE FROM traces'], ['DROP TABLE traces'], ["ATTACH 'DIR/other.db' AS o"],
			["ATTACH 'file:DIR/other.db?mode=rwc' AS o"], ["VACUUM INTO 'DIR/other.db'"]];
	}

	/** @dataProvider pragmas */
	public function testOfPragmaWhatTellsSomethingIsLetThrough(string $sql, bool $passes): void
	{
		$result = $this->onFixtures('sql', $sql);
		$this->assertSame($passes ? 0 : 2, $result->code, $result->err);
		$this->assertSame(!$passes, str_contains($result->err, 'opa sql only asks'), $result->err);
	}

	public static function pragmas(): array
	{
		return [['PRAGMA table_info(spans)', true], ['pragma main . index_list ( "spans" ) ;', true],
			['/* a */ PRAGMA -- b
				journal_mode', true], ['PRAGMA integrity_check', true],
			['EXPLAIN QUERY PLAN SELECT 1', true], ['explain/**/select 1', true],
			['PRAGMA journal_mode=DELETE', false], ['PRAGMA journal_mode(DELETE)', false],
			['PRAGMA wal_checkpoint(TRUNCATE)', false], ['PRAGMA wal_checkpoint', false],
			['EXPLAIN PRAGMA journal_mode=DELETE', false], ['PRAGMA user_version = 7', false],
			['PRAGMA "journal_mode" = DELETE', false], ['PRAGMA optimize', false]];
	}

	public function testAnErrorIsSaidOnStderr(): void
	{
		$result = $this->onFixtures('sql', 'SELECT nonsense');
		$this->assertSame([1, ''], [$result->code, $result->out]);
		$this->assertStringContainsString('no such column: nonsense', $result->err);
	}

	public function testNoRowsIsNoProblem(): void
	{
		$this->assertSame([0, "1\n"], [$this->onFixtures('sql', 'SELECT 1 WHERE 0')->code,
			$this->onFixtures('sql', 'SELECT 1 WHERE 0')->out]);
	}

	public function testWithoutAQueryItIsAUsageError(): void
	{
		$this->assertSame(2, $this->onFixtures('sql')->code);
		$this->assertSame(2, $this->onFixtures('sql', 'SELECT 1', '--json', '--csv')->code);
	}
}
