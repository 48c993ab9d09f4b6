<?php

declare(strict_types=1);

namespace Opa\Viewer;

/**
 * The spans of a trace as a tree. Whatever the data say, every span is in it exactly once: those
 * whose parent is not in the store, and those that are their own ancestors, hang under the root.
 */
final class SpanTree
{
	/** @var list<Span> */
	public readonly array $roots;

	/** @var list<Span> in the order of their start */
	public readonly array $all;

	/** @param list<array<string, mixed>> $rows of `spans`, in the order of their start */
	public function __construct(array $rows, ?string $rootId)
	{
		$byId = [];
		foreach ($rows as $row) {
			$byId['s' . $row['span_id']] = new Span($row);
		}
		$this->all = array_values($byId);
		$root = $byId['s' . $rootId] ?? null;
		$tops = $root === null ? [] : [$root];
		foreach ($this->all as $span) {
			$parent = $span->row['parent_id'] === null ? null : $byId['s' . $span->row['parent_id']] ?? null;
			if ($span === $root) {
				continue;
			}
			if ($parent !== null && $parent !== $span) {
				self::hang($span, $parent);
				continue;
			}
			if ($parent === $span) {
				$span->mark = 'loop';
			} elseif ($span->row['parent_id'] !== null) {
				$span->mark = (int) $span->row['remote'] === 1 ? 'remote' : 'orphan';
			}
			$tops[] = $span;
		}
		$this->roots = $this->settle($tops, $root);
	}

	public function start(): int
	{
		return $this->all === [] ? 0 : min(array_map(static fn (Span $s): int => $s->start(), $this->all));
	}

	public function end(): int
	{
		return $this->all === [] ? 0 : max(array_map(static fn (Span $s): int => $s->end(), $this->all));
	}

	private static function hang(Span $span, Span $parent): void
	{
		$span->parent = $parent;
		$parent->children[] = $span;
	}

	/**
	 * Puts what cannot be reached from the tops under the root, and the marked tops, too.
	 * @param list<Span> $tops
	 * @return list<Span>
	 */
	private function settle(array $tops, ?Span $root): array
	{
		$reached = [];
		foreach ($tops as $top) {
			self::walk($top, $reached);
		}
		foreach ($this->all as $span) {
			if (!isset($reached[spl_object_id($span)])) {
				self::cut($span);
				$span->mark = 'loop';
				$tops[] = $span;
				self::walk($span, $reached);
			}
		}
		$roots = [];
		foreach ($tops as $top) {
			if ($root !== null && $top->mark !== '') {
				self::hang($top, $root);
			} else {
				$roots[] = $top;
			}
		}
		if ($root !== null) {
			usort($root->children, static fn (Span $a, Span $b): int => $a->start() <=> $b->start());
		}
		return $roots;
	}

	private static function cut(Span $span): void
	{
		$parent = $span->parent;
		if ($parent !== null) {
			$parent->children = array_values(array_filter($parent->children,
				static fn (Span $s): bool => $s !== $span));
			$span->parent = null;
		}
	}

	/** @param array<int, true> $reached by spl_object_id */
	private static function walk(Span $from, array &$reached): void
	{
		$stack = [$from];
		while ($stack !== []) {
			$span = array_pop($stack);
			if (!isset($reached[spl_object_id($span)])) {
				$reached[spl_object_id($span)] = true;
				array_push($stack, ...$span->children);
			}
		}
	}
}
