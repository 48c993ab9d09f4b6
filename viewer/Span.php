<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** A span of a trace with its children, as the tree has it. */
final class Span
{
	/** @var list<Span> in the order of their start */
	public array $children = [];
	public ?Span $parent = null;

	/** Why it hangs where it hangs, if its parent is not what it says: orphan, remote, loop. */
	public string $mark = '';

	/** @var ?array<int|string, mixed> */
	private ?array $attributes = null;

	/** @var ?list<object> */
	private ?array $events = null;

	/** @param array<string, mixed> $row of `spans`, with `service` */
	public function __construct(public readonly array $row)
	{
	}

	public function start(): int
	{
		return max(0, (int) $this->row['start_ns']);
	}

	public function duration(): int
	{
		return max(0, (int) $this->row['duration_ns']);
	}

	public function end(): int
	{
		return Format::sum($this->start(), $this->duration());
	}

	public function name(): string
	{
		$name = Text::safe((string) $this->row['name']);
		return $name === '' ? '(no name)' : $name;
	}

	public function failed(): bool
	{
		return (int) $this->row['status'] === 2;
	}

	/** @return array<int|string, mixed> */
	public function attributes(): array
	{
		return $this->attributes ??= Json::map($this->row['attributes']);
	}

	/** A string attribute, safe; '' when there is none. */
	public function text(string $key): string
	{
		$value = $this->attributes()[$key] ?? null;
		return is_string($value) ? Text::safe($value) : '';
	}

	/** @return list<object> with name, time_ns, attributes */
	public function events(): array
	{
		return $this->events ??= self::objects($this->row['events']);
	}

	/** @return list<object> with trace_id, span_id, attributes */
	public function links(): array
	{
		return self::objects($this->row['links']);
	}

	/**
	 * What was thrown, as "Type: message".
	 * @return list<string>
	 */
	public function exceptions(): array
	{
		$found = [];
		foreach ($this->row['events'] === null ? [] : $this->events() as $event) {
			if (($event->name ?? '') !== 'exception') {
				continue;
			}
			$a = (array) ($event->attributes ?? []);
			$found[] = rtrim(Json::text($a['exception.type'] ?? 'exception') . ': '
				. Json::text($a['exception.message'] ?? ''), ': ');
		}
		return array_map(Text::safe(...), $found);
	}

	/** What kind of work it is: one word, by which it gets its colour. */
	public function category(): string
	{
		$a = $this->attributes();
		return match (true) {
			isset($a['db.system.name']) || isset($a['db.system']) => 'database',
			(int) $this->row['kind'] === 2 => 'server',
			(int) $this->row['kind'] === 3 => isset($a['http.request.method']) ? 'http' : 'client',
			(int) $this->row['kind'] >= 4 => 'messaging',
			default => 'internal',
		};
	}

	/**
	 * Its time without that of its children: what it did itself. Children that overlap count once.
	 */
	public function selfTime(): int
	{
		$covered = 0;
		foreach ($this->childIntervals() as [$from, $to]) {
			$covered += $to - $from;
		}
		return $this->duration() - $covered;
	}

	/**
	 * The parts of it in which a child ran, in order, without overlaps.
	 * @return list<array{int, int}>
	 */
	public function childIntervals(): array
	{
		$merged = [];
		$reached = $this->start();
		foreach ($this->children as $child) {
			$from = max($child->start(), $reached);
			$to = min($child->end(), $this->end());
			if ($to > $from) {
				$merged[] = [$from, $to];
				$reached = $to;
			}
		}
		return $merged;
	}

	/** How many spans are below it. */
	public function descendants(): int
	{
		$count = 0;
		$stack = $this->children;
		while ($stack !== []) {
			$span = array_pop($stack);
			$count++;
			array_push($stack, ...$span->children);
		}
		return $count;
	}

	/** @return list<object> */
	private static function objects(?string $json): array
	{
		$list = Json::decode($json);
		return is_array($list) ? array_values(array_filter($list, 'is_object')) : [];
	}
}
