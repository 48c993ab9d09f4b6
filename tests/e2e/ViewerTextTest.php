<?php

declare(strict_types=1);

namespace Opa\Tests;

use Opa\Viewer\Clock;
use Opa\Viewer\Format;
use Opa\Viewer\Text;
use Opa\Viewer\UsageError;
use PHPUnit\Framework\TestCase;

final class ViewerTextTest extends TestCase
{
	/** @dataProvider durations */
	public function testDurations(int $ns, string $text): void
	{
		$this->assertSame($text, Format::duration($ns));
	}

	public static function durations(): array
	{
		return [[0, '0'], [1, '1 ns'], [999, '999 ns'], [1000, '1.00 µs'], [12345, '12.3 µs'],
			[999_499, '999 µs'], [999_500, '1.00 ms'], [182_400_000, '182 ms'], [999_999_999, '1.00 s'],
			[59_940_000_000, '59.9 s'], [59_960_000_000, '1m 00s'], [125_000_000_000, '2m 05s'],
			[11_220_000_000_000, '3h 07m'], [190_800_000_000_000, '2d 5h'], [-5000, '-5.00 µs']];
	}

	/** @dataProvider widths */
	public function testWidthInColumns(string $text, int $columns): void
	{
		$this->assertSame($columns, Text::width($text));
	}

	public static function widths(): array
	{
		return [['', 0], ['abc', 3], ['größe', 5], ['製品', 4], ["cafe\u{301}", 4], ['🛒', 2], ['├─ ', 3],
			['ｆｕｌｌ', 8], ['한글', 4], ["a\u{200b}b", 2]];
	}

	/** @dataProvider cuts */
	public function testCut(string $text, int $columns, string $expected): void
	{
		$this->assertSame($expected, Text::cut($text, $columns));
	}

	public static function cuts(): array
	{
		return [['abc', 3, 'abc'], ['abcd', 3, 'ab…'], ['製品名', 5, '製品…'], ['製品名', 4, '製…'],
			['製品', 4, '製品'], ['abc', 1, '…'], ['abc', 0, '']];
	}

	public function testWhatATerminalWouldObeyIsShown(): void
	{
		$this->assertSame('a\e[31m\n\x7f\u{9b}\u{202e}b', Text::safe("a\e[31m\n\x7f\u{9b}\u{202e}b"));
		$this->assertSame("a\u{fffd}b", Text::safe("a\xffb"));
		$this->assertSame('<b> & "ü"', Text::safe('<b> & "ü"'));
	}

	public function testSafeJsonIsStillTheSameValue(): void
	{
		$value = ["a\e\u{9b}\u{202e}\u{e0041}\x7f" => "x\ny"];
		$json = \Opa\Viewer\Json::encode($value);
		$this->assertSame($value, json_decode($json, true));
		$this->assertSame(0, preg_match('/[\x00-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80\xae|\xf3/', $json));
	}

	public function testWrapBreaksAtSpacesAndLosesNothing(): void
	{
		$this->assertSame(['one two', 'three', 'fourfivesi', 'x'], Text::wrap('one two three fourfivesix', 10));
	}

	public function testWrapCountsColumns(): void
	{
		$this->assertSame(['größe', '製品 x', "cafe\u{301}", '製'], Text::wrap("größe 製品 x cafe\u{301} 製", 6));
	}

	/** Ten times the text may take ten times as long, not a hundred times. */
	public function testWrapIsLinear(): void
	{
		$time = static function (int $n): int {
			$text = str_repeat('äöü ', $n);
			$start = hrtime(true);
			Text::wrap($text, 60);
			return hrtime(true) - $start;
		};
		$time(100);
		$ratio = min(array_map(static fn (): float => $time(40_000) / $time(4_000), range(1, 3)));
		$this->assertLessThan(40, $ratio);
	}

	/** @dataProvider badDurations */
	public function testABadDurationIsRefused(string $text): void
	{
		$this->expectException(UsageError::class);
		Clock::parseDuration($text, '--min');
	}

	public static function badDurations(): array
	{
		return [[''], ['5'], ['ms'], ['-1s'], ['1 parsec'], ["1s\n"]];
	}

	public function testDurationsAreRead(): void
	{
		$this->assertSame([500_000_000, 1_500_000_000, 120_000_000_000, 3_600_000_000_000],
			array_map(static fn (string $t): int => Clock::parseDuration($t, ''), ['500ms', '1.5s', '2m', '1h']));
	}

	public function testTimesAreShownInTheUsersZone(): void
	{
		$clock = new Clock(new \DateTimeZone('Asia/Tokyo'));
		$this->assertSame('2023-11-15 07:13:20.250', $clock->format(1700000000250000000, 'Y-m-d H:i:s.v'));
	}

	/** @dataProvider times */
	public function testATimeIsReadInTheUsersZone(string $text, string $expected): void
	{
		$clock = new Clock(new \DateTimeZone('Asia/Tokyo'));
		$now = new \DateTimeImmutable('now', new \DateTimeZone('Asia/Tokyo'));
		$days = ['TODAY' => $now->format('Y-m-d'), 'YESTERDAY' => $now->modify('-1 day')->format('Y-m-d')];
		$this->assertSame(strtr($expected, $days), $clock->format($clock->parseTime($text, ''), 'Y-m-d H:i:s.v'));
	}

	public static function times(): array
	{
		return [['2023-11-15 07:13:20', '2023-11-15 07:13:20.000'], ['2023-11-15', '2023-11-15 00:00:00.000'],
			['2023-11-15T07:13', '2023-11-15 07:13:00.000'], ['2023-11-15T07:13:20.25Z', '2023-11-15 16:13:20.250'],
			['2023-11-15 07:13+02:00', '2023-11-15 14:13:00.000'], ['today', 'TODAY 00:00:00.000'],
			['Yesterday', 'YESTERDAY 00:00:00.000'], ['yesterday 14:30', 'YESTERDAY 14:30:00.000'],
			['14:30:05', 'TODAY 14:30:05.000'], ['all', '1970-01-01 09:00:00.000']];
	}

	/** @dataProvider agos */
	public function testATimeAgo(string $text, int $seconds): void
	{
		$clock = new Clock(new \DateTimeZone('UTC'));
		$before = $clock->now();
		$time = $clock->parseTime($text, '');
		$this->assertGreaterThanOrEqual($before, $time + $seconds * 1_000_000_000);
		$this->assertLessThanOrEqual($clock->now(), $time + $seconds * 1_000_000_000);
	}

	public static function agos(): array
	{
		return [['30m', 1800], ['1h30m', 5400], ['1 hour', 3600], ['2 hours ago', 7200], ['1d', 86400],
			['1.5h', 5400], ['90 sec', 90], ['1w 1d', 691200]];
	}

	/** @dataProvider noTimes */
	public function testWhatIsNoTimeIsRefused(string $text): void
	{
		$this->expectException(UsageError::class);
		(new Clock(new \DateTimeZone('UTC')))->parseTime($text, '--since');
	}

	public static function noTimes(): array
	{
		return [[''], ['a'], ['2026-02-30'], ['2026-13-01'], ['-1h'], ['tomorrow'], ['25:00'], ['5'], ['1h foo'],
			['14:60'], ['next week'], ["14:30\n5"]];
	}

	/** @dataProvider zones */
	public function testTheZoneOfTz(string $tz, string $offset, bool $unknown): void
	{
		$env = new \Opa\Viewer\Environment(['TZ' => $tz], \Opa\Viewer\Identity::current());
		$this->assertSame($unknown, $env->hasUnknownZone());
		if (!$unknown) {
			$clock = new Clock($env->timeZone());
			$this->assertSame($offset, $clock->format(1700000000_000000000, 'P'));
		}
	}

	public static function zones(): array
	{
		return [['Asia/Tokyo', '+09:00', false], [':/usr/share/zoneinfo/Asia/Tokyo', '+09:00', false],
			['UTC', '+00:00', false], ['UTC+3', '-03:00', false], ['<+0530>-5:30', '+05:30', false],
			['Nowhere/Else', '', true], ['CET-1CEST,M3.5.0,M10.5.0/3', '', true]];
	}
}
