<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** Rows in columns that are as wide as what is in them. Numbers stand at the right. */
final class Table
{
	private const GAP = 2;

	/**
	 * @param list<string> $heads safe texts
	 * @param list<bool> $right which columns stand at the right
	 */
	public function __construct(
		private readonly Output $out,
		private readonly array $heads,
		private readonly array $right,
	) {
	}

	/**
	 * @param list<list<array{string, string}>> $rows cells: safe text and style
	 * @param int $columns 0: as wide as it takes; else columns above their share are cut
	 */
	public function print(array $rows, int $columns): void
	{
		$widths = array_map(Text::width(...), $this->heads);
		foreach ($rows as $row) {
			foreach ($row as $i => [$text]) {
				$widths[$i] = max($widths[$i], Text::width($text));
			}
		}
		if ($columns > 0) {
			$widths = $this->shrink($widths, $columns);
		}
		$heads = array_map(static fn (string $h): array => [$h, 'dim'], $this->heads);
		foreach ([$heads, ...$rows] as $row) {
			$cells = [];
			foreach ($row as $i => [$text, $style]) {
				$text = Text::cut($text, $widths[$i]);
				$padding = str_repeat(' ', $widths[$i] - Text::width($text));
				$painted = $this->out->paint($style, $text);
				$cells[] = $this->right[$i] ? $padding . $painted : $painted . $padding;
			}
			$this->out->line(implode(str_repeat(' ', self::GAP), $cells));
		}
	}

	/**
	 * The widest column gives first, until the table fits or nobody has more than a few to give.
	 * @param list<int> $widths
	 * @return list<int>
	 */
	private function shrink(array $widths, int $columns): array
	{
		$over = array_sum($widths) + self::GAP * (count($widths) - 1) - $columns;
		while ($over > 0) {
			$widest = array_search(max($widths), $widths, true);
			if ($widths[$widest] <= 8) {
				break;
			}
			$widths[$widest]--;
			$over--;
		}
		return $widths;
	}
}
