<?php

declare(strict_types=1);

namespace Opa\Tests;

final class ViewerSqlTest extends ViewerTestCase
{
	public function testATable(): void
	{
		$result = $this->onFixtures('sql', "SELECT 'left' AS t, 7 AS number, NULL AS n, 2.0 AS f
			UNION ALL SELECT 'a longer one', 1234, NULL, 0.5");
		$this->assertSame(["t             number     n    f", "left               7  NULL  2.0",
			"a longer one    1234  NULL  0.5"], $result->lines());
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

	public function testAnErrorIsSaidOnStderr(): void
	{
		$result = $this->onFixtures('sql', 'SELECT nonsense');
		$this->assertSame([1, ''], [$result->code, $result->out]);
		$this->assertStringContainsString('no such column: nonsense', $result->err);
	}

	public function testNoRowsIsExitCodeOne(): void
	{
		$this->assertSame(1, $this->onFixtures('sql', 'SELECT 1 WHERE 0')->code);
	}

	public function testWithoutAQueryItIsAUsageError(): void
	{
		$this->assertSame(2, $this->onFixtures('sql')->code);
		$this->assertSame(2, $this->onFixtures('sql', 'SELECT 1', '--json', '--csv')->code);
	}
}
