<?php

declare(strict_types=1);

namespace Opa\Tests;

use Opa\Viewer\Text;

final class ViewerShowTest extends ViewerTestCase
{
	/** The line of a span, found by what its label has. */
	private static function line(Result $result, string $label): string
	{
		foreach (array_slice($result->lines(), 3) as $line) {
			if (str_contains($line, $label)) {
				return $line;
			}
		}
		self::fail("no line has '$label' in:\n$result->out");
	}

	/** @dataProvider waysToNameIt */
	public function testATraceIsFound(string $name): void
	{
		$result = $this->onFixtures('show', $name);
		$this->assertSame(0, $result->code, $result->err);
		$this->assertStringContainsString(Traces::CHECKOUT, $result->out);
	}

	public static function waysToNameIt(): array
	{
		return ['id' => [Traces::CHECKOUT], 'prefix' => ['4bf9'], 'upper case' => ['4BF92F'],
			'newest' => ['last'], 'traceparent' => ['00-' . Traces::CHECKOUT . '-00f067aa0ba902b7-01']];
	}

	public function testAnAmbiguousPrefixIsAnsweredWithTheCandidates(): void
	{
		$result = $this->onFixtures('show', '0');
		$this->assertSame([1, ''], [$result->code, $result->out]);
		$this->assertStringContainsString(Traces::ZERO, $result->err);
		$this->assertStringContainsString(Traces::OPEN, $result->err);
	}

	public function testAnUnknownIdIsExitCodeOne(): void
	{
		$this->assertSame(1, $this->onFixtures('show', 'abcdef')->code);
	}

	/** @dataProvider notIds */
	public function testWhatIsNoIdIsAUsageError(array $arguments): void
	{
		$this->assertSame(2, $this->onFixtures('show', ...$arguments)->code);
	}

	public static function notIds(): array
	{
		return ['none' => [[]], 'letters' => [['zz']], 'too long' => [[str_repeat('a', 33)]],
			'two' => [['last', 'last']], 'a pattern' => [['4bf%']]];
	}

	public function testTheHeadSaysWhatItWas(): void
	{
		$lines = $this->onFixtures('show', 'last')->lines();
		$this->assertSame('POST /checkout  500  shop', $lines[0]);
		$this->assertMatchesRegularExpression('/^' . Traces::CHECKOUT
			. '  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} · 182 ms · 16 spans · 3 errors$/u', $lines[1]);
	}

	public function testTheTreeIsDrawnInTheOrderOfStart(): void
	{
		$lines = $this->onFixtures('show', 'last')->lines();
		foreach (['POST /checkout ', '├─ session.start ', '├─ load cart ', '│  ├─ SELECT cart ',
			'│  └─ 8× SELECT product ', '├─ pay ', '│  │  ✗ Shop\PaymentRefused', '│  └─ POST (402) pay.example',
			'└─ render error page ', '   └─ audit ', '         ↗ linked to trace '] as $i => $start) {
			$this->assertStringStartsWith($start, $lines[4 + $i]);
		}
	}

	public function testABarStandsWhereTheSpanWas(): void
	{
		$builder = new StoreBuilder("$this->directory/traces.db");
		$builder->trace($builder->id(), [
			['id' => 'a', 'name' => 'whole', 'ms' => 100],
			['id' => 'b', 'parent' => 'a', 'name' => 'first half', 'ms' => 50],
			['id' => 'c', 'parent' => 'a', 'name' => 'last quarter', 'at' => 75, 'ms' => 25],
			['id' => 'd', 'parent' => 'a', 'name' => 'instant', 'at' => 100, 'ms' => 0]]);
		$result = $this->onFixtures('show', 'last');
		preg_match('/━+/u', self::line($result, 'whole'), $whole);
		$width = mb_strlen($whole[0]);
		$from = mb_strpos(self::line($result, 'whole'), '━');
		$first = self::line($result, 'first half');
		$this->assertSame($from, mb_strpos($first, '━'));
		$this->assertEqualsWithDelta($width / 2, mb_strlen($first) - $from, 1);
		$last = self::line($result, 'last quarter');
		$this->assertEqualsWithDelta($from + $width * 3 / 4, mb_strpos($last, '━'), 1);
		$this->assertSame($from + $width, mb_strlen($last));
		$this->assertSame($from + $width, mb_strlen(self::line($result, 'instant')));
	}

	public function testAnErrorStandsBelowItsSpanWithTypeAndMessage(): void
	{
		$lines = $this->onFixtures('show', 'last')->lines();
		$pay = array_search(self::line($this->onFixtures('show', 'last'), '─ pay'), $lines, true);
		$this->assertSame('│  │  ✗ Shop\PaymentRefused: card declined', $lines[$pay + 1]);
	}

	public function testAParentThatLetAnExceptionPassDoesNotRepeatIt(): void
	{
		$builder = new StoreBuilder("$this->directory/traces.db");
		$thrown = [['name' => 'exception', 'tags' => ['exception.type' => 'E', 'exception.message' => 'm']]];
		$builder->trace($builder->id(), [
			['id' => 'a', 'name' => 'outer', 'ms' => 9, 'status' => 2, 'events' => $thrown],
			['id' => 'b', 'parent' => 'a', 'name' => 'inner', 'ms' => 8, 'status' => 2, 'events' => $thrown]]);
		$lines = $this->onFixtures('show', 'last')->lines();
		$this->assertSame(1, count(preg_grep('/E: m/', $lines)));
		$this->assertStringContainsString('E: m', $lines[6]);
	}

	public function testAStatusMessageStandsInForAnException(): void
	{
		$this->assertStringContainsString('✗ disk I/O error',
			$this->onFixtures('show', 'b16b', '--all')->out);
	}

	public function testAnExceptionOfASpanThatDidNotFailIsShownToo(): void
	{
		$this->assertStringContainsString('! MailboxFull: tried again later',
			$this->onFixtures('show', 'c0ff')->out);
	}

	public function testMoreThanFiveEqualSiblingsAreOneLine(): void
	{
		$six = $this->siblings(6);
		$this->assertMatchesRegularExpression('/6× step  max 2.00 ms +12.0 ms/', $six->out);
		$this->assertSame(1, substr_count($six->out, 'step'));
	}

	public function testFiveAreNot(): void
	{
		$this->assertSame(5, substr_count($this->siblings(5)->out, 'step'));
	}

	public function testAllShowsEachOfThem(): void
	{
		$this->assertSame(6, substr_count($this->siblings(6, '--all')->out, 'step'));
	}

	public function testAnotherKindIsNotFoldedIn(): void
	{
		$builder = new StoreBuilder("$this->directory/traces.db");
		$spans = [['id' => 'a', 'name' => 'root', 'ms' => 20]];
		for ($i = 0; $i < 10; $i++) {
			$spans[] = ['parent' => 'a', 'name' => 'step', 'at' => $i, 'ms' => 1, 'kind' => $i < 5 ? 1 : 3];
		}
		$builder->trace($builder->id(), $spans);
		$this->assertSame(10, substr_count($this->onFixtures('show', 'last')->out, 'step'));
	}

	private function siblings(int $n, string ...$arguments): Result
	{
		$builder = new StoreBuilder("$this->directory/traces.db");
		$spans = [['id' => 'a', 'name' => 'root', 'ms' => 20]];
		for ($i = 0; $i < $n; $i++) {
			$spans[] = ['parent' => 'a', 'name' => 'step', 'at' => 2 * $i, 'ms' => 2];
		}
		$builder->trace($builder->id(), $spans);
		return $this->onFixtures('show', 'last', ...$arguments);
	}

	public function testABigTraceIsShortAndCountsItsErrors(): void
	{
		$result = $this->onFixtures('show', 'b16b');
		$this->assertLessThan(50, count($result->lines()));
		$this->assertSame(9, substr_count($result->out, '110× SELECT line'));
		$this->assertSame(1, substr_count($result->out, '✗ 1 of them failed: disk I/O error'));
	}

	public function testAllOfABigTraceIsThere(): void
	{
		$lines = $this->onFixtures('show', 'b16b', '--all')->lines();
		$this->assertCount(2000, preg_grep('/(report|batch \d|line|flush) /', array_slice($lines, 4)));
	}

	public function testOrphansAndLoopsHangUnderTheRootOnceAndAreMarked(): void
	{
		$result = $this->onFixtures('show', 'dead');
		$this->assertSame(0, $result->code);
		foreach (['lost child', 'called', 'own parent', 'ring a', 'ring b'] as $name) {
			$this->assertSame(1, substr_count($result->out, "─ $name "), $name);
		}
		$this->assertSame(1, substr_count($result->out, 'orphan: its parent is not in the store (parent 99)'));
		$this->assertSame(1, substr_count($result->out, 'called from another process'));
		$this->assertSame(2, substr_count($result->out, 'loop: it is its own ancestor'));
		$this->assertStringStartsWith('   └─ ring b', self::line($result, 'ring b'));
	}

	public function testAnUnfinishedTraceSaysSo(): void
	{
		$result = $this->onFixtures('show', '0bad');
		$this->assertStringContainsString('not complete yet', $result->out);
		$this->assertStringContainsString('fetch (unfinished)', $result->out);
	}

	public function testATraceWithoutDurationIsShown(): void
	{
		$result = $this->onFixtures('show', Traces::ZERO);
		$this->assertSame([0, ''], [$result->code, $result->err]);
		$this->assertMatchesRegularExpression('/^tick +0  ╸$/mu', $result->out);
	}

	public function testSelfTimeIsWithoutTheChildren(): void
	{
		$result = $this->onFixtures('show', 'last', '--self');
		$this->assertMatchesRegularExpression('/─ load cart +31.5 ms +6.40 ms /u', self::line($result, 'load cart'));
		$this->assertMatchesRegularExpression('/─ audit +18.0 µs +18.0 µs /u', self::line($result, 'audit'));
	}

	public function testChildrenThatOverlapCountOnceInSelfTime(): void
	{
		$builder = new StoreBuilder("$this->directory/traces.db");
		$builder->trace($builder->id(), [['id' => 'a', 'name' => 'root', 'ms' => 100],
			['parent' => 'a', 'name' => 'x', 'at' => 10, 'ms' => 40],
			['parent' => 'a', 'name' => 'y', 'at' => 30, 'ms' => 40],
			['parent' => 'a', 'name' => 'late', 'at' => 90, 'ms' => 40]]);
		$this->assertMatchesRegularExpression('/^root +100 ms +30.0 ms/',
			self::line($this->onFixtures('show', 'last', '--self'), 'root'));
	}

	public function testTagsOfEachSpanAndWhatRecordedThem(): void
	{
		$out = $this->onFixtures('show', 'last', '--tags')->out;
		$this->assertMatchesRegularExpression('/│  cart.total +59.0$/mu', $out);
		$this->assertMatchesRegularExpression('/│  cart.skus +\["A-1","B-7"\]$/mu', $out);
		$this->assertMatchesRegularExpression('/│  vip +true$/mu', $out);
		$this->assertMatchesRegularExpression('/^  host.name +web1$/m', $out);
		$this->assertStringNotContainsString('user.id', $this->onFixtures('show', 'last')->out);
	}

	public function testAZeroIsShownAsZero(): void
	{
		$this->assertMatchesRegularExpression('/process.exit.code +0$/m',
			$this->onFixtures('show', 'c0ff', '--tags')->out);
	}

	public function testEventsWithTheirTimeAndStackTraces(): void
	{
		$out = $this->onFixtures('show', 'last', '--events')->out;
		$this->assertStringContainsString('• retry  at 90.0 ms', $out);
		$this->assertMatchesRegularExpression('/exception.stacktrace +#0 .*\n.* +#1 .*\n.* +#2 \{main\}/u', $out);
	}

	public function testLongTagsAreBrokenNotCut(): void
	{
		$builder = new StoreBuilder("$this->directory/traces.db");
		$sql = 'SELECT ' . implode(', ', array_map(static fn (int $i): string => "column_$i", range(1, 60)));
		$builder->trace($builder->id(), [['name' => 'q', 'ms' => 1, 'tags' => ['db.query.text' => $sql]]]);
		$out = $this->onFixtures('show', 'last', '--tags')->out;
		$this->assertStringContainsString('column_1,', $out);
		$this->assertStringContainsString('column_60', $out);
	}

	/** @dataProvider widths */
	public function testEveryLineFits(int $columns): void
	{
		$path = $this->fixtureStore();
		foreach ((new \ReflectionClass(Traces::class))->getConstants() as $name => $id) {
			$result = self::opa(['show', $id, '--tags', '--events', '--self', '--store', $path, '--no-import'],
				['COLUMNS' => (string) $columns]);
			$this->assertSame('', $result->err);
			foreach ($result->lines() as $line) {
				$this->assertLessThanOrEqual($columns, Text::width($line), "$name: $line");
			}
		}
	}

	public static function widths(): array
	{
		return [[40], [60], [80], [120], [200]];
	}

	public function testHoweverDeepItIsTheNameCanBeRead(): void
	{
		$builder = new StoreBuilder("$this->directory/traces.db");
		$spans = [];
		for ($i = 0; $i < 14; $i++) {
			$spans[] = ['id' => "s$i", 'parent' => $i === 0 ? null : 's' . ($i - 1), 'at' => $i,
				'name' => "Handler$i::process", 'ms' => 100 - 2 * $i];
		}
		$builder->trace($builder->id(), $spans);
		$out = self::opa(['show', 'last', '--store', $builder->path, '--no-import'], ['COLUMNS' => '80'])->out;
		for ($i = 0; $i < 14; $i++) {
			$this->assertStringContainsString("Handler$i::process", $out);
		}
		$this->assertStringContainsString("\n⋯13 Handler13::process", $out);
	}

	public function testAVeryDeepTraceIsShownWithinTheWidth(): void
	{
		$builder = new StoreBuilder("$this->directory/traces.db");
		$spans = [['id' => 's0', 'name' => 'deep', 'ms' => 5000]];
		for ($i = 1; $i < 3000; $i++) {
			$spans[] = ['id' => "s$i", 'parent' => 's' . ($i - 1), 'name' => "level $i", 'at' => $i, 'ms' => 1];
		}
		$builder->trace($builder->id(), $spans);
		$result = $this->onFixtures('show', 'last');
		$this->assertCount(4 + 3000, $result->lines());
		$this->assertStringContainsString('⋯2999 level 2999 ', $result->out);
		$this->assertLessThanOrEqual(120, max(array_map(Text::width(...), $result->lines())));
	}

	public function testJsonIsOtlp(): void
	{
		$otlp = json_decode($this->onFixtures('show', 'last', '--json')->out, false, 64, JSON_THROW_ON_ERROR);
		$this->assertCount(1, $otlp->resourceSpans);
		$spans = $otlp->resourceSpans[0]->scopeSpans[0]->spans;
		$this->assertCount(16, $spans);
		$root = $spans[0];
		$this->assertSame([Traces::CHECKOUT, 'a1', 'POST', 2, 257], [$root->traceId, $root->spanId,
			$root->name, $root->kind, $root->flags]);
		$this->assertFalse(property_exists($root, 'parentSpanId'));
		$this->assertIsString($root->startTimeUnixNano);
		$this->assertSame(182400000, (int) $root->endTimeUnixNano - (int) $root->startTimeUnixNano);
		$this->assertSame(2, $root->status->code);
		$values = array_column($root->attributes, 'value', 'key');
		$this->assertEquals((object) ['intValue' => '500'], $values['http.response.status_code']);
		$this->assertEquals((object) ['doubleValue' => 59.0], $values['cart.total']);
		$this->assertEquals((object) ['boolValue' => true], $values['vip']);
		$this->assertEquals((object) ['stringValue' => 'A-1'], $values['cart.skus']->arrayValue->values[0]);
		$byName = array_column($spans, null, 'name');
		$this->assertSame('exception', $byName['pay']->events[0]->name);
		$this->assertIsString($byName['pay']->events[0]->timeUnixNano);
		$this->assertSame(Traces::SCRIPT, $byName['audit']->links[0]->traceId);
		$this->assertSame('a1', $byName['pay']->parentSpanId);
	}

	public function testJsonKeepsMapsListsAndExactNumbers(): void
	{
		$builder = new StoreBuilder("$this->directory/traces.db");
		$builder->trace($builder->id(), [['name' => 'x', 'ms' => 1, 'json' => '{"map":{"a":1,"1":[]},'
			. '"empty":{},"big":9223372036854775807,"whole":2.0,"nan":"NaN","":"no key","\u0000k":1}']]);
		$out = $this->onFixtures('show', 'last', '--json')->out;
		foreach (['"kvlistValue":{"values":[{"key":"a","value":{"intValue":"1"}},{"key":"1","value":'
			. '{"arrayValue":{"values":[]}}}]}', '"intValue":"9223372036854775807"', '"doubleValue":2.0',
			'"doubleValue":"NaN"', '{"key":"","value":{"stringValue":"no key"}}'] as $part) {
			$this->assertStringContainsString($part, $out);
		}
	}

	/** @dataProvider hostileCommands */
	public function testNothingOfAStoreReachesTheTerminalUnescaped(array $arguments): void
	{
		$result = $this->onFixtures(...$arguments);
		$this->assertStringContainsString('owned', $result->out . $result->err);
		$this->assertSame(0, preg_match('/[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80\xae/',
			$result->out . $result->err), $result->out . $result->err);
	}

	public static function hostileCommands(): array
	{
		return [[['list']], [['list', '--json']], [['show', 'e51e', '--tags', '--events']],
			[['show', 'e51e', '--json']], [['stats']], [['stats', '--json']],
			[['sql', 'SELECT * FROM spans']], [['sql', '--json', 'SELECT * FROM spans']],
			[['sql', "SELECT name AS \"owned\e[2J\" FROM spans"]], [['list', "--owned\e[2J"]],
			[['show', "owned\e[2J"]], [['sql', "SELECT \"owned\e[2J\""]]];
	}

	public function testWithColourTheEscapesAreOnlyThoseOfColours(): void
	{
		$result = $this->onFixtures('show', 'e51e', '--tags', '--events', '--color', 'always');
		$plain = preg_replace('/\e\[[0-9;]*m/', '', $result->out);
		$this->assertNotSame($plain, $result->out);
		$this->assertStringNotContainsString("\e", $plain);
	}

	public function testTimesAtTheEndOfTimeAreShown(): void
	{
		$builder = new StoreBuilder("$this->directory/traces.db");
		$builder->trace($builder->id(), [['id' => 'a', 'name' => 'root', 'ms' => 5],
			...array_map(static fn (int $i): array => ['id' => "b$i", 'parent' => 'a', 'name' => 'x', 'ms' => 1],
				range(1, 7))]);
		$builder->db->exec('UPDATE spans SET duration_ns = 9223372036854775807');
		$builder->db->exec('UPDATE spans SET start_ns = 9223372036854775807 WHERE span_id = \'b3\'');
		$builder->db->exec('UPDATE spans SET start_ns = -5, duration_ns = -7 WHERE span_id = \'b4\'');
		foreach ([['show', 'last', '--self'], ['show', 'last', '--all'], ['show', 'last', '--json'],
			['list'], ['stats', '--since', 'all']] as $command) {
			$result = $this->onFixtures(...$command);
			$this->assertSame([0, ''], [$result->code, $result->err], implode(' ', $command));
		}
	}

	public function testADamagedAttributeColumnDoesNotHideTheTrace(): void
	{
		$result = $this->onFixtures('show', 'dead', '--tags');
		$this->assertSame([0, ''], [$result->code, $result->err]);
		$this->assertStringContainsString('ring b', $result->out);
	}
}
