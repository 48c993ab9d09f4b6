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

	/** "500ms", "1.5s", "2m": nanoseconds. */
	public static function parseDuration(string $text, string $option): int
	{
		if (preg_match('/^(\d+(?:\.\d+)?)\s*(ns|us|µs|ms|s|min|m|h|d|w)$/D', $text, $m) !== 1) {
			throw new UsageError("$option: '" . Text::safe($text) . "' is no duration: 500ms, 1.5s, 2m, 1h");
		}
		return (int) round((float) $m[1] * self::SECONDS[$m[2]] * 1e9);
	}

	/** "30m", "2h", "1d" before now, "all", or a date and time: Unix nanoseconds. */
	public function parseSince(string $text): int
	{
		if ($text === 'all') {
			return 0;
		}
		if (preg_match('/^\d+(\.\d+)?\s*(ms|s|min|m|h|d|w)$/D', $text) === 1) {
			return $this->now() - self::parseDuration($text, '--since');
		}
		try {
			$time = new \DateTimeImmutable(trim($text) === '' ? '?' : $text, $this->zone);
		} catch (\Exception) {
			throw new UsageError("--since: '" . Text::safe($text)
				. "' is no time: 30m, 2h, 1d, 14:30, '2026-01-31 14:30', yesterday, all");
		}
		return $time->getTimestamp() * 1_000_000_000;
	}
}
