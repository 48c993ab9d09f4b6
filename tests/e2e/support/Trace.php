<?php

declare(strict_types=1);

namespace Opa\Tests;

/** One trace out of a store. */
final class Trace
{
	/** @var array<string, mixed> the root span's row, JSON columns decoded */
	public readonly array $root;
	/** @var array<string, mixed> */
	public readonly array $attributes;
	/** @var array<string, mixed> */
	public readonly array $resource;
	/** @var list<array<string, mixed>> all spans' rows, by start */
	public readonly array $spans;

	/**
	 * @param list<array<string, mixed>> $roots
	 * @param list<array<string, mixed>> $spans
	 */
	public function __construct(array $roots, array $spans)
	{
		if (count($roots) !== 1) {
			throw new \RuntimeException('the trace is there ' . count($roots) . ' times');
		}
		$this->root = self::decoded($roots[0]);
		$this->attributes = $this->root['attributes'];
		$this->resource = json_decode($roots[0]['resource_attributes'], true);
		$this->spans = array_map(self::decoded(...), $spans);
	}

	/** @return list<string> names, by start */
	public function names(): array
	{
		return array_column($this->spans, 'name');
	}

	/** @return array<string, mixed> the one span of that name */
	public function span(string $name): array
	{
		$found = array_values(array_filter($this->spans, static fn (array $s): bool => $s['name'] === $name));
		if (count($found) !== 1) {
			throw new \RuntimeException(count($found) . " spans are named $name");
		}
		return $found[0];
	}

	/** @return array<string, mixed> */
	private static function decoded(array $row): array
	{
		foreach (['attributes', 'events', 'links'] as $column) {
			$row[$column] = $row[$column] === null ? [] : json_decode($row[$column], true, 512, JSON_THROW_ON_ERROR);
		}
		return $row;
	}
}
