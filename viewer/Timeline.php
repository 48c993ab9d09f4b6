<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** The time scale of a waterfall: bars of half a column's precision, and the ticks above them. */
final class Timeline
{
	/** By what the left and right half of a column hold: nothing, a light bar, a heavy one. */
	private const CELLS = [
		'00' => ' ', '01' => '╶', '10' => '╴', '11' => '─', '02' => '╺', '20' => '╸', '22' => '━',
		'12' => '╼', '21' => '╾',
	];

	private readonly int $range;

	/** @var array<int, int> column => nanoseconds since the start */
	public readonly array $ticks;

	public function __construct(
		private readonly int $from,
		int $to,
		public readonly int $columns,
	) {
		$this->range = max(1, $to - $from);
		$this->ticks = $to > $from ? $this->makeTicks() : [0 => 0];
	}

	/**
	 * @param list<array{int, int}> $heavy intervals in Unix nanoseconds
	 * @param list<array{int, int}> $light those parts of them that are to be drawn lightly
	 * @return list<string> one character (or a space) a column
	 */
	public function bar(array $heavy, array $light = []): array
	{
		$halves = str_repeat('0', 2 * $this->columns);
		foreach ($heavy as [$from, $to]) {
			[$a, $b] = $this->halves($from, $to);
			$b = max($b, $a + 1);
			for ($i = $a; $i < $b; $i++) {
				$halves[$i] = '2';
			}
		}
		foreach ($light as [$from, $to]) {
			[$a, $b] = $this->halves($from, $to);
			for ($i = $a; $i < $b; $i++) {
				$halves[$i] = '1';
			}
		}
		return array_map(static fn (string $cell): string => self::CELLS[$cell], str_split($halves, 2));
	}

	/** The labels above the bars. */
	public function labels(): string
	{
		$line = '';
		foreach ($this->ticks as $column => $ns) {
			$label = Format::duration($ns, true);
			if ($column + Text::width($label) + 1 <= $this->columns) {
				$line = Text::fit($line, $column) . '╷' . $label;
			}
		}
		return Text::fit($line, $this->columns);
	}

	/** @return array{int, int} the first half column that it touches, and the one behind its last */
	private function halves(int $from, int $to): array
	{
		$scale = 2 * $this->columns / $this->range;
		$last = 2 * $this->columns;
		$a = (int) floor(($from - $this->from) * $scale + 1e-6);
		$b = (int) round(($to - $this->from) * $scale);
		return [max(0, min($a, $last - 1)), max(0, min($b, $last))];
	}

	/** @return array<int, int> */
	private function makeTicks(): array
	{
		$rough = $this->range / max(1, intdiv($this->columns, 10));
		$power = 10 ** floor(log10($rough));
		$step = 10 * $power;
		foreach ([1, 2, 5] as $factor) {
			if ($factor * $power >= $rough) {
				$step = $factor * $power;
				break;
			}
		}
		$ticks = [];
		$step = max(1, (int) $step);
		for ($ns = 0; $ns <= $this->range; $ns += $step) {
			$column = (int) floor($ns * $this->columns / $this->range);
			if ($column < $this->columns) {
				$ticks[$column] = $ns;
			}
		}
		return $ticks;
	}
}
