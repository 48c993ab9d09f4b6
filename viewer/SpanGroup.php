<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** Siblings of the same name and kind, shown as one line. */
final class SpanGroup
{
	/** Up to so many are shown one by one. */
	public const FOLD_ABOVE = 5;

	/** A parent with more lines than that gets its repetitions folded even where they alternate. */
	private const CROWD = 40;

	/** @param non-empty-list<Span> $spans in the order of their start */
	public function __construct(public readonly array $spans)
	{
	}

	/**
	 * @param list<Span> $siblings
	 * @return list<Span|SpanGroup>
	 */
	public static function fold(array $siblings): array
	{
		$runs = [];
		foreach ($siblings as $span) {
			$last = array_key_last($runs);
			if ($last !== null && self::key($runs[$last][0]) === self::key($span)) {
				$runs[$last][] = $span;
			} else {
				$runs[] = [$span];
			}
		}
		$folded = self::collapse($runs);
		if (count($folded) <= self::CROWD) {
			return $folded;
		}
		$byKey = [];
		foreach ($siblings as $span) {
			$byKey[self::key($span)][] = $span;
		}
		$folded = self::collapse(array_values($byKey));
		usort($folded, static fn ($a, $b): int => self::startOf($a) <=> self::startOf($b));
		return $folded;
	}

	public function first(): Span
	{
		return $this->spans[0];
	}

	public function total(): int
	{
		return array_reduce($this->spans, static fn (int $sum, Span $s): int
			=> Format::sum($sum, $s->duration()), 0);
	}

	public function max(): int
	{
		return max(array_map(static fn (Span $s): int => $s->duration(), $this->spans));
	}

	public function selfTime(): int
	{
		return array_reduce($this->spans, static fn (int $sum, Span $s): int
			=> Format::sum($sum, $s->selfTime()), 0);
	}

	public function below(): int
	{
		return array_sum(array_map(static fn (Span $s): int => $s->descendants(), $this->spans));
	}

	/** @return list<Span> */
	public function failed(): array
	{
		return array_values(array_filter($this->spans, static fn (Span $s): bool => $s->failed()));
	}

	/**
	 * @param list<non-empty-list<Span>> $sets
	 * @return list<Span|SpanGroup>
	 */
	private static function collapse(array $sets): array
	{
		$folded = [];
		foreach ($sets as $set) {
			if (count($set) > self::FOLD_ABOVE) {
				$folded[] = new self($set);
			} else {
				array_push($folded, ...$set);
			}
		}
		return $folded;
	}

	private static function key(Span $span): string
	{
		return $span->row['kind'] . ' ' . $span->mark . ' ' . $span->row['name'];
	}

	private static function startOf(Span|SpanGroup $item): int
	{
		return $item instanceof self ? $item->first()->start() : $item->start();
	}
}
