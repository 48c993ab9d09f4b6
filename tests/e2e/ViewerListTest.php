<?php

declare(strict_types=1);

namespace Opa\Tests;

final class ViewerListTest extends ViewerTestCase
{
	/** @return list<string> the ids that a filter leaves, newest first */
	private function ids(string ...$arguments): array
	{
		return array_column($this->onFixtures('list', '--json', ...$arguments)->objects(), 'trace_id');
	}

	public function testNewestFirst(): void
	{
		$this->assertSame([Traces::CHECKOUT, Traces::SCRIPT, Traces::OPEN, Traces::BIG, Traces::WIDE,
			Traces::HOSTILE, Traces::BROKEN, Traces::ZERO], $this->ids());
	}

	public function testALineHasIdTimeDurationStatusSpansErrorsNameAndService(): void
	{
		$lines = $this->onFixtures('list', '--limit', '2')->lines();
		$this->assertMatchesRegularExpression('/^TRACE +TIME +DURATION +STATUS +SPANS +NAME +SERVICE$/',
			$lines[0]);
		$this->assertMatchesRegularExpression(
			'~^4bf92f35  [0-9:. -]+  +182 ms  500 +16 ✗3 +POST /checkout +shop$~', $lines[1]);
		$this->assertMatchesRegularExpression(
			'~^c0ffee00  [0-9:. -]+  +3.12 s  ok +3 +bin/import.php +import$~', $lines[2]);
		$this->assertCount(3, $lines);
	}

	public function testATraceWithoutItsRootIsOpen(): void
	{
		$this->assertMatchesRegularExpression('/0badcafe .* open +2 +warm cache/',
			$this->onFixtures('list')->out);
	}

	public function testATraceThatLacksAParentOfItsSpansIsMarked(): void
	{
		$builder = new StoreBuilder("$this->directory/traces.db");
		$root = ['id' => 'a1', 'name' => 'root', 'ms' => 9];
		$remote = ['name' => 'called', 'parent' => 'ffff', 'remote' => 1, 'ms' => 1];
		$orphan = ['name' => 'left', 'parent' => 'bbbb', 'ms' => 1];
		$builder->trace($builder->id(), [['name' => 'whole'] + $root, $remote]);
		$builder->trace($builder->id(), [['name' => 'holey'] + $root, $orphan]);
		$builder->trace($builder->id(), [['name' => 'running'] + $root, $orphan], ['complete' => 0]);
		$builder->trace($builder->id(), [['name' => 'short', 'tags' => ['opa.dropped_spans' => 12]] + $root]);
		$builder->trace($builder->id(), [['name' => 'talks', 'tags' => ['a' => '"opa.dropped_spans":1']] + $root]);
		$out = $this->onFixtures('list')->out;
		$this->assertMatchesRegularExpression('/ 2 +whole/', $out);
		$this->assertMatchesRegularExpression('/ 2 +running/', $out);
		$this->assertMatchesRegularExpression('/ ≥2 +holey/u', $out);
		$this->assertMatchesRegularExpression('/ ≥1 +short/u', $out);
		$this->assertMatchesRegularExpression('/ 1 +talks/', $out);
		$id = array_column($this->onFixtures('list', '--json', '--name', 'holey')->objects(), 'trace_id')[0];
		$this->assertStringContainsString('! incomplete: spans are missing', $this->onFixtures('show', $id)->out);
		$id = array_column($this->onFixtures('list', '--json', '--name', 'short')->objects(), 'trace_id')[0];
		$this->assertStringContainsString('12 spans dropped', $this->onFixtures('show', $id)->out);
	}

	public function testThePathIsLeftOutWhereTheNameHasARoute(): void
	{
		$this->assertMatchesRegularExpression('~ GET /report +shop~', $this->onFixtures('list')->out);
	}

	public function testTwentyIsTheDefaultLimit(): void
	{
		$builder = new StoreBuilder("$this->directory/traces.db");
		for ($i = 0; $i < 25; $i++) {
			$builder->trace($builder->id(), [['name' => 'x', 'ms' => 1]]);
		}
		$this->assertCount(20, $this->ids());
		$this->assertCount(25, $this->ids('-n', '99'));
	}

	public function testIdsAreShownAsLongAsTheyNeedToBeUnique(): void
	{
		$builder = new StoreBuilder("$this->directory/traces.db");
		$builder->trace('abcdefabcd00' . str_repeat('0', 20), [['name' => 'one', 'ms' => 1]]);
		$builder->trace('abcdefabcd11' . str_repeat('0', 20), [['name' => 'two', 'ms' => 1]]);
		$out = $this->onFixtures('list')->out;
		$this->assertStringContainsString('abcdefabcd0 ', $out);
		$this->assertStringContainsString('abcdefabcd1 ', $out);
	}

	/** @dataProvider filters */
	public function testFilter(array $arguments, array $expected): void
	{
		$this->assertSame($expected, $this->ids(...$arguments));
	}

	public static function filters(): array
	{
		return [
			'min' => [['--min', '1s'], [Traces::SCRIPT, Traces::BIG]],
			'error in any span' => [['--error'], [Traces::CHECKOUT, Traces::BIG, Traces::HOSTILE]],
			'part of the name' => [['--name', 'IMPORT'], [Traces::SCRIPT]],
			'part of the path' => [['--name', 'heckou'], [Traces::CHECKOUT]],
			'glob of the path' => [['--name', '/check*'], [Traces::CHECKOUT]],
			'name and path' => [['--name', 'post /check'], [Traces::CHECKOUT]],
			'glob has to match whole' => [['--name', 'GET*'], [Traces::BIG, Traces::WIDE]],
			'glob of one end' => [['--name', '*port'], [Traces::BIG]],
			'brackets are ordinary' => [['--name', '[a-z]'], []],
			'service' => [['--service', 'import'], [Traces::SCRIPT]],
			'service glob' => [['--service', 'imp*'], [Traces::SCRIPT]],
			'tag: int' => [['--tag', 'user.id=42'], [Traces::CHECKOUT]],
			'tag: not that int' => [['--tag', 'user.id=4'], []],
			'tag: bool' => [['--tag', 'vip=true'], [Traces::CHECKOUT]],
			'tag: float' => [['--tag', 'cart.total=59.0'], [Traces::CHECKOUT]],
			'tag: an element of a list' => [['--tag', 'cart.skus=B-7'], [Traces::CHECKOUT]],
			'tag of a child span' => [['--tag', 'server.address=pay.*'], [Traces::CHECKOUT]],
			'tag exists' => [['--tag', 'process.exit.code'], [Traces::SCRIPT]],
			'tag of the resource' => [['--tag', 'service.name=店'], [Traces::WIDE]],
			'tag with odd letters' => [['--tag', 'größe=über*'], [Traces::WIDE]],
			'all tags, on whichever spans' => [['--tag', 'vip=true', '--tag', 'db.system.name=sqlite'],
				[Traces::CHECKOUT]],
			'all tags: one is missing' => [['--tag', 'vip=true', '--tag', 'db.system.name=mysql'], []],
			'filters add up' => [['--error', '--min', '1s'], [Traces::BIG]],
		];
	}

	public function testSince(): void
	{
		$builder = new StoreBuilder("$this->directory/traces.db");
		$old = $builder->id();
		$new = $builder->id();
		$builder->trace($old, [['name' => 'old', 'ms' => 1]], ['start' => self::now() - 7200_000_000_000]);
		$builder->trace($new, [['name' => 'new', 'ms' => 1]], ['start' => self::now() - 60_000_000_000]);
		$this->assertSame([$new], $this->ids('--since', '1h'));
		$this->assertSame([$new, $old], $this->ids('--since', '3h'));
		$this->assertSame([$new, $old], $this->ids('--since', '2020-01-31 14:00'));
		$this->assertSame([], $this->ids('--since', '10s'));
	}

	public function testJsonHasOneObjectALine(): void
	{
		$object = $this->onFixtures('list', '--json', '-n1')->objects()[0];
		$this->assertSame(['trace_id', 'start', 'duration_ns', 'status', 'http_status', 'spans', 'errors',
			'complete', 'gaps', 'name', 'path', 'service'], array_keys($object));
		$this->assertMatchesRegularExpression('/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/', $object['start']);
		$this->assertSame([182400000, 'error', 500, 16, 3, true, false, 'POST', '/checkout', 'shop'],
			array_slice(array_values($object), 2));
	}

	public function testNothingFoundIsNoProblemAndSaidOnStderr(): void
	{
		$result = $this->onFixtures('list', '--name', 'nowhere');
		$this->assertSame([0, "", "opa: no trace matches\n"], [$result->code, $result->out, $result->err]);
		$this->assertSame(0, $this->onFixtures('list', '--name', 'nowhere', '--json')->code);
		$this->assertSame(0, $this->onFixtures('stats', '--name', 'nowhere')->code);
	}

	public function testAnEmptyStoreIsSaid(): void
	{
		new StoreBuilder("$this->directory/traces.db");
		$result = $this->onFixtures('list');
		$this->assertSame([0, "opa: no trace is in the store yet\n"], [$result->code, $result->err]);
	}

	public function testTheSlowestFirst(): void
	{
		$durations = array_column($this->onFixtures('list', '--json', '--sort', 'duration')->objects(),
			'duration_ns');
		$sorted = $durations;
		rsort($sorted);
		$this->assertSame($sorted, $durations);
		$this->assertSame([Traces::SCRIPT], $this->ids('--sort', 'duration', '-n', '1'));
	}

	public function testUntil(): void
	{
		$builder = new StoreBuilder("$this->directory/traces.db");
		[$old, $new] = [$builder->id(), $builder->id()];
		$builder->trace($old, [['name' => 'old', 'ms' => 1]], ['start' => self::now() - 7200_000_000_000]);
		$builder->trace($new, [['name' => 'new', 'ms' => 1]], ['start' => self::now() - 60_000_000_000]);
		$this->assertSame([$old], $this->ids('--until', '1h'));
		$this->assertSame([], $this->ids('--since', '1h', '--until', '30m'));
	}

	/** @dataProvider statuses */
	public function testTheStatusIsThatOfTheList(string $status, callable $expected): void
	{
		$path = $this->fixtureStore();
		$shown = [];
		foreach (array_slice($this->onFixtures('list')->lines(), 1) as $line) {
			preg_match('/^(\S+) .*? (?:s|ms|µs|ns|0)  (\S+) /u', $line, $m);
			if ($expected($m[2])) {
				$shown[] = $m[1];
			}
		}
		$this->assertNotSame([], $shown);
		$this->assertSame($shown, array_map(static fn (string $id): string => substr($id, 0, 8),
			$this->ids('--status', $status)));
	}

	public static function statuses(): array
	{
		return [
			['500', static fn (string $s): bool => $s === '500'],
			['5xx', static fn (string $s): bool => $s[0] === '5'],
			['2XX', static fn (string $s): bool => $s[0] === '2'],
			['error', static fn (string $s): bool => $s === 'error' || $s[0] === '5'],
			['ok', static fn (string $s): bool => $s === 'ok' || $s[0] === '2'],
			['open', static fn (string $s): bool => $s === 'open'],
		];
	}

	/** @dataProvider wrongValues */
	public function testAWrongValueIsAUsageErrorThatNamesTheOption(array $arguments): void
	{
		$result = $this->onFixtures('list', ...$arguments);
		$this->assertSame([2, ''], [$result->code, $result->out]);
		$this->assertStringContainsString($arguments[0], $result->err);
		$this->assertStringContainsString("See 'opa list --help'", $result->err);
	}

	public static function wrongValues(): array
	{
		return [[['--min', '500']], [['--since', 'wibble']], [['--status', 'bad']], [['--sort', 'name']], [['--until', '2026-02-30']], [['--limit', '0']], [['--limit', 'x']],
			[['--tag', '=v']], [['--since']], [['--color', 'pink']], [['--nosuch']]];
	}

	/** @dataProvider widths */
	public function testLinesFitTheTerminal(int $columns): void
	{
		$path = $this->fixtureStore();
		$result = self::opa(['list', '--store', $path, '--no-import'], ['COLUMNS' => (string) $columns]);
		$this->assertCount(9, $result->lines());
		foreach ($result->lines() as $line) {
			$this->assertLessThanOrEqual($columns, \Opa\Viewer\Text::width($line), $line);
		}
	}

	public static function widths(): array
	{
		return [[40], [51], [60], [71], [80], [83], [84], [120], [200]];
	}
}
