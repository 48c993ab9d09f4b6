<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** A trace on a time scale: tree, durations and bars, a line a span. */
final class Waterfall
{
	private const COLORS = ['server' => 'blue', 'internal' => 'cyan', 'database' => 'magenta',
		'http' => 'green', 'client' => 'green', 'messaging' => 'yellow'];

	private const MARKS = ['orphan' => 'orphan: its parent is not in the store',
		'remote' => 'called from another process, whose span is not in the store',
		'loop' => 'loop: it is its own ancestor'];

	private const DURATION = 8;
	private const EXCEPTIONS = 3;

	/** @var list<array{Span|SpanGroup, string, string, int}> item, lead, lead of lines below, depth */
	private array $rows = [];
	private Timeline $timeline;
	private readonly SpanDetails $details;
	private int $labelWidth;
	private readonly int $maxDepth;

	public function __construct(
		private readonly Output $out,
		private readonly SpanTree $tree,
		private readonly WaterfallOptions $options,
	) {
		$this->details = new SpanDetails($tree->start());
		$this->maxDepth = max(3, intdiv($out->columns, 16));
	}

	public function print(): void
	{
		foreach ($this->tree->roots as $root) {
			$this->collect($root, '', '', 0);
		}
		$this->layOut();
		$this->printScale();
		foreach ($this->rows as [$item, $lead, $below, $depth]) {
			$label = $this->label($item, $lead, $depth);
			$this->out->line($label->fit($this->out, $this->labelWidth) . ' ' . $this->numbers($item)
				. '  ' . $this->bar($item));
			if ($item instanceof SpanGroup) {
				$this->printGroup($item, $below);
			} else {
				$this->printBelow($item, $below);
			}
		}
		$this->printShares();
	}

	/** Puts an item and what is below it into the rows, in the order in which they are printed. */
	private function collect(Span|SpanGroup $item, string $lead, string $below, int $depth): void
	{
		$children = $item instanceof Span ? $item->children : [];
		$items = $this->options->all ? $children : SpanGroup::fold($children);
		$deep = $depth >= $this->maxDepth;
		$this->rows[] = [$item, $lead, $items === [] || $deep ? $below . '   ' : $below . '│  ', $depth];
		$last = count($items) - 1;
		foreach ($items as $i => $child) {
			if ($deep) {
				// Back at the margin, where the name has room: the depth is a number from here on.
				$this->collect($child, '', '', $depth + 1);
			} elseif ($i === $last) {
				$this->collect($child, $below . '└─ ', $below . '   ', $depth + 1);
			} else {
				$this->collect($child, $below . '├─ ', $below . '│  ', $depth + 1);
			}
		}
	}

	/** The label takes what it needs, within bounds; the rest of the line is the time scale's. */
	private function layOut(): void
	{
		$columns = $this->out->columns;
		$needed = 0;
		foreach ($this->rows as [$item, $lead, , $depth]) {
			$needed = max($needed, $this->label($item, $lead, $depth)->width());
		}
		$numbers = self::DURATION * ($this->options->self ? 2 : 1) + ($this->options->self ? 1 : 0);
		$this->labelWidth = max(12, min($needed, intdiv(($columns - $numbers) * 45, 100)));
		$this->timeline = new Timeline($this->tree->start(), $this->tree->end(),
			max(8, $columns - $this->labelWidth - 1 - $numbers - 2));
	}

	private function printScale(): void
	{
		$numbers = Text::right('TIME', self::DURATION)
			. ($this->options->self ? Text::right('SELF', self::DURATION + 1) : '');
		$this->out->line($this->out->paint('dim', Text::fit('SPAN', $this->labelWidth) . ' '
			. $numbers . '  ' . rtrim($this->timeline->labels())));
	}

	private function label(Span|SpanGroup $item, string $lead, int $depth): Line
	{
		$span = $item instanceof SpanGroup ? $item->first() : $item;
		$line = (new Line())->add($lead, 'dim');
		if ($depth > $this->maxDepth) {
			$line->add("⋯$depth ", 'dim');
		}
		$service = Text::safe((string) $span->row['service']);
		if ($span->parent !== null && $service !== Text::safe((string) $span->parent->row['service'])) {
			$line->add("[$service] ", 'cyan');
		}
		$failed = $item instanceof SpanGroup ? $item->failed() !== [] : $item->failed();
		if ($item instanceof SpanGroup) {
			$line->add(Format::count(count($item->spans)) . '× ', 'bold');
		}
		$line->add($span->name(), $failed ? 'red' : ($span->parent === null ? 'bold' : ''));
		if ($item instanceof SpanGroup) {
			return $line->add('  max ' . Format::duration($item->max()), 'dim');
		}
		foreach ($this->details->remarks($span) as $remark) {
			$line->add(" ($remark)", 'yellow');
		}
		$detail = $this->details->destination($span);
		return $line->add($detail === '' ? '' : " $detail", 'dim');
	}

	private function numbers(Span|SpanGroup $item): string
	{
		$ns = $item instanceof SpanGroup ? $item->total() : $item->duration();
		$text = Text::right(Format::duration($ns), self::DURATION);
		if ($this->options->self) {
			$self = Text::right(Format::duration($item->selfTime()), self::DURATION);
			return $this->out->paint('dim', $text) . ' ' . $self;
		}
		return $text;
	}

	/** With --self a span's own time is drawn heavy, and light where it waits for its children. */
	private function bar(Span|SpanGroup $item): string
	{
		$spans = $item instanceof SpanGroup ? $item->spans : [$item];
		$heavy = $light = [];
		$failed = false;
		foreach ($spans as $span) {
			$heavy[] = [$span->start(), $span->end()];
			if ($this->options->self) {
				array_push($light, ...$span->childIntervals());
			}
			$failed = $failed || $span->failed();
		}
		$style = $failed ? 'red' : self::COLORS[$spans[0]->category()];
		$line = '';
		$part = '';
		foreach ($this->timeline->bar($heavy, $light) as $column => $cell) {
			if ($cell !== ' ') {
				$part .= $cell;
				continue;
			}
			$line .= $this->out->paint($style, $part);
			$part = '';
			$guide = $this->out->color && $column > 0 && isset($this->timeline->ticks[$column]);
			$line .= $guide ? $this->out->paint('dim', '┊') : ' ';
		}
		return $line . $this->out->paint($style, $part);
	}

	private function printGroup(SpanGroup $group, string $below): void
	{
		$failed = $group->failed();
		$hidden = $group->below();
		if ($hidden > 0) {
			$this->below($below, (new Line())->add('with ' . Format::plural($hidden, 'span')
				. ' below them, folded: --all', 'dim'));
		}
		if ($failed !== []) {
			$text = Format::count(count($failed)) . ' of them failed';
			$what = $this->details->problem($failed[0]);
			$this->below($below, (new Line())->add("✗ $text" . ($what === '' ? '' : ": $what"), 'red'));
		}
	}

	private function printBelow(Span $span, string $below): void
	{
		if ($span->mark !== '') {
			$parent = Text::safe((string) $span->row['parent_id']);
			$this->below($below, (new Line())->add('! ' . self::MARKS[$span->mark]
				. " (parent $parent)", 'yellow'));
		}
		$this->printProblems($span, $below);
		foreach ($this->details->links($span) as $link) {
			$this->below($below, (new Line())->add('↗ ', 'cyan')->add($link, 'dim'));
		}
		if ($this->options->tags) {
			foreach ($this->details->tags($span->attributes(), $this->room($below)) as $line) {
				$this->below($below, $line);
			}
		}
		if ($this->options->events) {
			foreach ($span->events() as $event) {
				foreach ($this->details->event($event, $this->room($below)) as $line) {
					$this->below($below, $line);
				}
			}
		}
		foreach ($this->options->tags ? $this->details->losses($span) : [] as $loss) {
			$this->below($below, (new Line())->add("! $loss", 'yellow'));
		}
	}

	/** What was thrown, where it was thrown first: a parent that let it pass does not repeat it. */
	private function printProblems(Span $span, string $below): void
	{
		$exceptions = $span->exceptions();
		foreach ($span->children as $child) {
			$exceptions = $exceptions === [] ? [] : array_diff($exceptions, $child->exceptions());
		}
		foreach (array_slice(array_values($exceptions), 0, self::EXCEPTIONS) as $exception) {
			$this->below($below, $span->failed() ? (new Line())->add("✗ $exception", 'red')
				: (new Line())->add("! $exception", 'yellow'));
		}
		if (count($exceptions) > self::EXCEPTIONS) {
			$this->below($below, (new Line())->add('… and '
				. Format::plural(count($exceptions) - self::EXCEPTIONS, 'more exception'), 'dim'));
		}
		$problem = $span->exceptions() === [] ? $this->details->problem($span) : '';
		if ($problem !== '') {
			$this->below($below, (new Line())->add("✗ $problem", 'red'));
		}
	}

	private function below(string $below, Line $line): void
	{
		$this->out->line($this->out->paint('dim', $below) . $line->cut($this->out, $this->room($below)));
	}

	private function room(string $below): int
	{
		return max(20, $this->out->columns - Text::width($below));
	}

	/** Where the time went: the spans' own time by what they do. It is the colours' legend, too. */
	private function printShares(): void
	{
		$shares = [];
		foreach ($this->tree->all as $span) {
			$category = $span->category();
			$shares[$category] = Format::sum($shares[$category] ?? 0, $span->selfTime());
		}
		if (count($shares) < 2) {
			return;
		}
		arsort($shares);
		$this->out->line();
		$line = (new Line())->add('own time', 'dim');
		foreach ($shares as $category => $ns) {
			$text = Format::duration($ns);
			if ($line->width() + strlen($category) + Text::width($text) + 6 > $this->out->columns) {
				$this->out->line($line->cut($this->out, $this->out->columns));
				$line = (new Line())->add('        ');
			}
			$line->add('  ')->add('━ ', self::COLORS[$category])->add("$category ")->add($text, 'dim');
		}
		$this->out->line($line->cut($this->out, $this->out->columns));
	}
}
