<?php

declare(strict_types=1);

namespace Opa\Tests;

use Opa\Viewer\StatsCommand;

final class ViewerStatsTest extends ViewerTestCase
{
	/** @dataProvider percentiles */
	public function testPercentilesAreExact(array $values, int $p, int $expected): void
	{
		$this->assertSame($expected, StatsCommand::percentile($values, $p));
	}

	public static function percentiles(): array
	{
		return [[[7], 50, 7], [[7], 99, 7], [[1, 2], 50, 1], [[1, 2, 3], 50, 2], [[1, 2], 95, 2],
			[range(1, 100), 50, 50], [range(1, 100), 95, 95], [range(1, 100), 99, 99],
			[range(1, 200), 99, 198], [range(1, 10), 95, 10]];
	}

	public function testAGroupIsNameAndKind(): void
	{
		$rows = $this->onFixtures('stats', '--json', '--name', 'POST')->objects();
		$this->assertSame([['POST', 'server', 182400000], ['POST', 'client', 119600000]],
			array_map(static fn (array $r): array => [$r['name'], $r['kind'], $r['max']], $rows));
	}

	public function testNumbersOfAGroup(): void
	{
		$builder = new StoreBuilder("$this->directory/traces.db");
		foreach (range(1, 100) as $ms) {
			$builder->trace($builder->id(), [['name' => 'job', 'ms' => $ms, 'status' => $ms > 97 ? 2 : 0]]);
		}
		$row = $this->onFixtures('stats', '--json', '--since', '10m')->objects()[0];
		$this->assertEqualsWithDelta(10, $row['rate'], 0.01);
		unset($row['rate']);
		$this->assertSame(['name' => 'job', 'kind' => 'internal', 'count' => 100, 'p50' => 50000000,
			'p95' => 95000000, 'p99' => 99000000, 'max' => 100000000, 'total' => 5050000000, 'errors' => 3], $row);
	}

	public function testRootsLeavesOutWhatIsInThem(): void
	{
		$names = array_column($this->onFixtures('stats', '--roots', '--json')->objects(), 'name');
		$this->assertContains('POST', $names);
		$this->assertContains('called', $names);
		$this->assertNotContains('pay', $names);
	}

	public function testKindServiceAndSince(): void
	{
		$kinds = array_column($this->onFixtures('stats', '--kind', 'client', '--json')->objects(), 'kind');
		$this->assertSame(['client'], array_values(array_unique($kinds)));
		$names = array_column($this->onFixtures('stats', '--service', 'import', '--json')->objects(), 'name');
		$this->assertSame(['bin/import.php', 'send mails', 'read feed'], $names);
		$this->assertStringContainsString('no span since then', $this->onFixtures('stats', '--since', '1s')->err);
	}

	/** @dataProvider sorts */
	public function testSort(string $by, string $first): void
	{
		$this->assertSame($first, $this->onFixtures('stats', '--json', '--sort', $by)->objects()[0]['name']);
	}

	public static function sorts(): array
	{
		return [['total', 'bin/import.php'], ['count', 'SELECT line'], ['p95', 'bin/import.php'],
			['name', 'GET']];
	}

	public function testItFitsNarrowTerminals(): void
	{
		$path = $this->fixtureStore();
		foreach ([40, 50, 60, 72, 80, 90] as $columns) {
			$result = self::opa(['stats', '--store', $path, '--no-import'], ['COLUMNS' => (string) $columns]);
			foreach ($result->lines() as $line) {
				$this->assertLessThanOrEqual($columns, \Opa\Viewer\Text::width($line), $line);
			}
		}
	}

	public function testTheLimitSaysWhatItLeftOut(): void
	{
		$result = $this->onFixtures('stats', '--limit', '2');
		$this->assertCount(3, $result->lines());
		$this->assertMatchesRegularExpression('/\d+ more with --limit/', $result->err);
	}

	public function testTheTableFits(): void
	{
		$path = $this->fixtureStore();
		foreach ([60, 80, 120] as $columns) {
			$result = self::opa(['stats', '--store', $path, '--no-import'], ['COLUMNS' => (string) $columns]);
			$this->assertLessThanOrEqual($columns,
				max(array_map(\Opa\Viewer\Text::width(...), $result->lines())));
		}
	}
}
