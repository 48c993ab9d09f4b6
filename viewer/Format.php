<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** Numbers for people. */
final class Format
{
	private const KINDS = ['unset', 'internal', 'server', 'client', 'producer', 'consumer'];

	/**
	 * Three significant digits: 0, 850 ns, 12.3 µs, 1.00 s, 2m 05s, 3h 07m, 2d 4h.
	 * @param bool $short without zeros at the end: 1 s
	 */
	public static function duration(int $ns, bool $short = false): string
	{
		if ($ns <= 0) {
			return $ns === 0 ? '0' : '-' . self::duration(-max($ns, -PHP_INT_MAX), $short);
		}
		$units = ['ns' => 1, 'µs' => 1_000, 'ms' => 1_000_000, 's' => 1_000_000_000];
		foreach ($units as $unit => $factor) {
			$text = self::digits($ns / $factor, $short || $factor === 1);
			if ((float) $text < ($unit === 's' ? 60 : 1000)) {
				return "$text $unit";
			}
		}
		$s = intdiv($ns, 1_000_000_000) + ($ns % 1_000_000_000 >= 500_000_000 ? 1 : 0);
		return match (true) {
			$s < 3600 => sprintf('%dm %02ds', intdiv($s, 60), $s % 60),
			$s < 86400 => sprintf('%dh %02dm', intdiv($s, 3600), intdiv($s % 3600, 60)),
			default => sprintf('%dd %dh', intdiv($s, 86400), intdiv($s % 86400, 3600)),
		};
	}

	/** Times come from anybody: a sum that is too large is the largest, not a float. */
	public static function sum(int $a, int $b): int
	{
		$sum = $a + $b;
		return is_int($sum) ? $sum : PHP_INT_MAX;
	}

	public static function count(int $n): string
	{
		return number_format($n, 0, '.', ',');
	}

	/** "1 span", "2,000 spans". */
	public static function plural(int $n, string $one, ?string $many = null): string
	{
		return self::count($n) . ' ' . ($n === 1 ? $one : $many ?? $one . 's');
	}

	public static function bytes(int $n): string
	{
		$units = ['B', 'KB', 'MB', 'GB', 'TB'];
		$v = (float) $n;
		for ($i = 0; $v >= 999.5 && $i < 4; $i++) {
			$v /= 1024;
		}
		return ($i === 0 ? (string) $n : self::digits($v, true)) . ' ' . $units[$i];
	}

	public static function rate(float $perMinute): string
	{
		return $perMinute >= 1000 ? self::count((int) round($perMinute)) : self::digits($perMinute, true);
	}

	public static function ago(float $seconds): string
	{
		$s = (int) max(0, round($seconds));
		return match (true) {
			$s < 2 => 'just now',
			$s < 120 => "$s s ago",
			$s < 7200 => intdiv($s, 60) . ' min ago',
			$s < 172800 => intdiv($s, 3600) . ' h ago',
			default => intdiv($s, 86400) . ' days ago',
		};
	}

	public static function kind(int $kind): string
	{
		return self::KINDS[$kind] ?? (string) $kind;
	}

	/** @return list<string> */
	public static function kinds(): array
	{
		return array_slice(self::KINDS, 1);
	}

	/** RFC 3339 in UTC with all nine digits. */
	public static function rfc3339(int $ns): string
	{
		$ns = max(0, $ns);
		return gmdate('Y-m-d\TH:i:s', intdiv($ns, 1_000_000_000))
			. sprintf('.%09dZ', $ns % 1_000_000_000);
	}

	private static function digits(float $v, bool $short): string
	{
		$text = number_format($v, $v < 9.995 ? 2 : ($v < 99.95 ? 1 : 0), '.', '');
		return $short && str_contains($text, '.') ? rtrim(rtrim($text, '0'), '.') : $text;
	}
}
