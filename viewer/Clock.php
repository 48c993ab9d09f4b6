<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** The user's clock: times are shown and read in the user's zone. */
final class Clock
{
	private const SECONDS = ['ns' => 1e-9, 'us' => 1e-6, 'µs' => 1e-6, 'ms' => 1e-3, 's' => 1,
		'm' => 60, 'min' => 60, 'h' => 3600, 'd' => 86400, 'w' => 604800];

	public function __construct(private readonly \DateTimeZone $zone)
	{
	}

	public function now(): int
	{
		return (int) (microtime(true) * 1_000_000) * 1_000;
	}

	/** @param string $format as of DateTime; v stands for milliseconds */
	public function format(int $ns, string $format): string
	{
		$us = intdiv($ns, 1000);
		$time = new \DateTimeImmutable(sprintf('@%d.%06d', intdiv($us, 1_000_000), abs($us % 1_000_000)));
		return $time->setTimezone($this->zone)->format($format);
	}

	/** "500ms", "1.5s", "2m", "1h30m", "2 hours": nanoseconds. */
	public static function parseDuration(string $text, string $option): int
	{
		$ns = self::duration($text);
		if ($ns === null) {
			throw new UsageError("$option: '" . Text::safe($text) . "' is no duration: 500ms, 1.5s, 2m, 1h30m");
		}
		return $ns;
	}

	/** A time before now, or a date and a time of day: Unix nanoseconds. */
	public function parseTime(string $text, string $option): int
	{
		$word = strtolower(trim($text));
		if ($word === 'all') {
			return 0;
		}
		$ago = self::duration((string) preg_replace('/ ago$/D', '', $word));
		if ($ago !== null) {
			return max(0, $this->now() - $ago);
		}
		return $this->date($word) ?? throw new UsageError("$option: '" . Text::safe($text) . "' is no time. "
			. "It can be 30m, 1h30m, 2 hours or 1d (ago); 14:30; today, yesterday; '2026-01-31 14:30', "
			. '2026-01-31T14:30:00Z; all');
	}

	private static function duration(string $text): ?int
	{
		$part = '(\d{1,12}(?:\.\d{1,9})?)\s*(ns|us|µs|ms|s|secs?|seconds?|mins?|minutes?|m|hours?|h|days?|d|weeks?|w)';
		if (preg_match("/^$part(?:\s*$part)*$/D", $text) !== 1) {
			return null;
		}
		preg_match_all("/$part/", $text, $parts, PREG_SET_ORDER);
		$ns = 0.0;
		foreach ($parts as [, $number, $unit]) {
			$ns += (float) $number * (self::SECONDS[$unit] ?? self::SECONDS[$unit[0]]) * 1e9;
		}
		return $ns < 9e18 ? (int) round($ns) : PHP_INT_MAX;
	}

	/** [DAY] [TIME OF DAY [ZONE]]; without a day it is today's. */
	private function date(string $text): ?int
	{
		$day = '(?<day>today|yesterday|\d{4}-\d\d-\d\d)';
		$time = '(?<time>\d{1,2}:\d\d(?::\d\d(?:\.\d{1,9})?)?)\s?(?<zone>z|utc|[+-]\d\d:?\d\d)?';
		if (preg_match("/^(?:$day|(?:{$day}[ t])?$time)$/DJ", $text, $m, PREG_UNMATCHED_AS_NULL) !== 1) {
			return null;
		}
		preg_match("/^$day/", $text, $d);
		$clock = explode(':', $m['time'] ?? '0:00');
		if ((int) $clock[0] > 23 || (int) $clock[1] > 59 || (float) ($clock[2] ?? 0) >= 60) {
			return null;
		}
		$date = $d['day'] ?? 'today';
		if ($date[0] <= '9' && !checkdate((int) substr($date, 5, 2), (int) substr($date, 8, 2), (int) $date)) {
			return null;
		}
		$date .= ' ' . substr($m['time'] ?? '0:00', 0, 15) . ' ' . strtoupper($m['zone'] ?? '');
		$time = new \DateTimeImmutable(trim($date), $this->zone);
		return max(0, $time->getTimestamp()) * 1_000_000_000 + (int) $time->format('u') * 1_000;
	}
}
