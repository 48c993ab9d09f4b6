<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** `opa doctor`: what it costs to read the time, which each span does twice. */
final class ClockCheck
{
	/** Those that are read without a system call, by the vDSO. */
	private const FAST = ['tsc', 'kvm-clock', 'hyperv_clocksource_tsc_page', 'arch_sys_counter', 'timebase', 'tod', 'riscv_clocksource'];
	private const READINGS = 20_000;

	public static function finding(string $root = ''): Finding
	{
		$directory = "$root/sys/devices/system/clocksource/clocksource0";
		$source = trim((string) @file_get_contents("$directory/current_clocksource"));
		$cost = self::nanoseconds() . ' ns to read it';
		if ($source === '') {
			return Finding::warn('Clock', "which clock source the kernel uses is not known; it takes $cost");
		}
		if (in_array($source, self::FAST, true)) {
			return Finding::ok('Clock', "$source; it takes $cost");
		}
		$others = array_intersect(self::FAST, explode(' ', trim((string) @file_get_contents("$directory/available_clocksource"))));
		return Finding::warn('Clock', "$source: each reading is a system call, and takes $cost; a span has two",
			$others === [] ? 'the machine offers no faster one; a virtual machine may, after a change of its settings'
				: 'as root:  echo ' . reset($others) . " > $directory/current_clocksource  (if the kernel has not marked it unstable: dmesg)");
	}

	/** The best of several rounds, without the loop around it. */
	private static function nanoseconds(): int
	{
		$best = PHP_INT_MAX;
		for ($round = 0; $round < 5; $round++) {
			$begin = hrtime(true);
			for ($i = 0; $i < self::READINGS; $i++) {
				hrtime(true);
			}
			$middle = hrtime(true);
			for ($i = 0; $i < self::READINGS; $i++) {
				is_int($i);
			}
			$best = min($best, 2 * $middle - $begin - hrtime(true));
		}
		return max(1, intdiv($best, self::READINGS));
	}
}
