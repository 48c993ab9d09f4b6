<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** Spans as OTLP/JSON: what any OpenTelemetry collector reads. 64-bit integers are strings there. */
final class OtlpJson
{
	/** What the store has in place of a float that JSON cannot have; a string of that text is one, too. */
	private const NOT_FINITE = ['NaN', 'Infinity', '-Infinity'];

	/**
	 * @param list<array<string, mixed>> $spans rows of `spans`
	 * @param array<int, ?string> $resources id => attributes, JSON
	 */
	public static function traces(array $spans, array $resources): object
	{
		$byResource = [];
		foreach ($spans as $row) {
			$byResource[$row['resource']][] = self::span($row);
		}
		$list = [];
		foreach ($byResource as $id => $of) {
			$list[] = (object) [
				'resource' => (object) ['attributes' => self::attributes(Json::map($resources[$id] ?? null))],
				'scopeSpans' => [(object) ['scope' => (object) ['name' => 'opa'], 'spans' => $of]],
			];
		}
		return (object) ['resourceSpans' => $list];
	}

	/** @param array<string, mixed> $row */
	private static function span(array $row): object
	{
		$status = array_filter(['message' => $row['status_message'], 'code' => (int) $row['status']]);
		return (object) array_filter([
			'traceId' => $row['trace_id'],
			'spanId' => $row['span_id'],
			'traceState' => $row['trace_state'],
			'parentSpanId' => $row['parent_id'],
			'flags' => (int) $row['flags'] ?: null,
			'name' => $row['name'],
			'kind' => (int) $row['kind'],
			'startTimeUnixNano' => (string) $row['start_ns'],
			'endTimeUnixNano' => (string) Format::sum((int) $row['start_ns'], (int) $row['duration_ns']),
			'attributes' => self::attributes(Json::map($row['attributes'])) ?: null,
			'droppedAttributesCount' => (int) $row['dropped_attributes'] ?: null,
			'events' => self::each($row['events'], self::event(...)),
			'droppedEventsCount' => (int) $row['dropped_events'] ?: null,
			'links' => self::each($row['links'], self::link(...)),
			'droppedLinksCount' => (int) $row['dropped_links'] ?: null,
			'status' => (object) $status,
		], static fn (mixed $v): bool => $v !== null);
	}

	private static function event(object $event): object
	{
		return (object) array_filter([
			'timeUnixNano' => (string) ($event->time_ns ?? 0),
			'name' => $event->name ?? '',
			'attributes' => self::attributes((array) ($event->attributes ?? [])) ?: null,
			'droppedAttributesCount' => ($event->dropped ?? 0) ?: null,
		], static fn (mixed $v): bool => $v !== null);
	}

	private static function link(object $link): object
	{
		return (object) array_filter([
			'traceId' => $link->trace_id ?? '',
			'spanId' => $link->span_id ?? '',
			'traceState' => ($link->trace_state ?? '') ?: null,
			'attributes' => self::attributes((array) ($link->attributes ?? [])) ?: null,
			'droppedAttributesCount' => ($link->dropped ?? 0) ?: null,
			'flags' => ($link->flags ?? 0) ?: null,
		], static fn (mixed $v): bool => $v !== null);
	}

	/**
	 * @param callable(object): object $make
	 * @return ?list<object>
	 */
	private static function each(?string $json, callable $make): ?array
	{
		$list = Json::decode($json);
		$objects = is_array($list) ? array_values(array_filter($list, 'is_object')) : [];
		return array_map($make, $objects) ?: null;
	}

	/**
	 * @param array<int|string, mixed> $map
	 * @return list<object>
	 */
	private static function attributes(array $map): array
	{
		$list = [];
		foreach ($map as $key => $value) {
			$list[] = (object) ['key' => (string) $key, 'value' => self::value($value)];
		}
		return $list;
	}

	private static function value(mixed $value): object
	{
		return match (true) {
			is_bool($value) => (object) ['boolValue' => $value],
			is_int($value) => (object) ['intValue' => (string) $value],
			is_float($value) || in_array($value, self::NOT_FINITE, true)
				=> (object) ['doubleValue' => $value],
			is_object($value) => (object) ['kvlistValue' =>
				(object) ['values' => self::attributes((array) $value)]],
			is_array($value) => (object) ['arrayValue' =>
				(object) ['values' => array_map(self::value(...), array_values($value))]],
			$value === null => (object) [],
			default => (object) ['stringValue' => (string) $value],
		};
	}
}
