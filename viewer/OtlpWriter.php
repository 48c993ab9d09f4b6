<?php

declare(strict_types=1);

namespace Opa\Viewer;

/**
 * Spans of a store as OTLP protobuf, field by field as the extension had written them. What the store
 * does not tell apart is as OtlpJson has it: a text `NaN` counts as a float, bytes are base64.
 */
final class OtlpWriter
{
	private const VARINT = 0;
	private const FIXED64 = 1;
	private const BYTES = 2;
	private const FIXED32 = 5;

	private const NOT_FINITE = ['NaN' => NAN, 'Infinity' => INF, '-Infinity' => -INF];

	/** The fields of a Resource. */
	public static function resource(?string $attributes): string
	{
		return self::attributes(1, Json::map($attributes));
	}

	/**
	 * The fields of a ScopeSpans up to its spans.
	 * @param ?string $resource attributes of who made them: its version is the scope's
	 */
	public static function scope(?string $resource): string
	{
		$version = Json::map($resource)['telemetry.sdk.version'] ?? '';
		$scope = self::bytes(1, 'opa') . (is_string($version) ? self::text(2, $version) : '');
		return self::bytes(1, $scope);
	}

	/**
	 * A span as a field of a ScopeSpans.
	 * @param array<string, mixed> $row of `spans`
	 */
	public static function span(array $row): string
	{
		$end = Format::sum((int) $row['start_ns'], (int) $row['duration_ns']);
		$status = self::text(2, (string) $row['status_message']) . self::number(3, (int) $row['status']);
		return self::bytes(2, self::id(1, $row['trace_id'])
			. self::id(2, $row['span_id'])
			. self::text(3, (string) $row['trace_state'])
			. self::id(4, (string) $row['parent_id'])
			. self::bytes(5, Text::utf8($row['name']))
			. self::number(6, (int) $row['kind'])
			. self::fixed64(7, (int) $row['start_ns'])
			. self::fixed64(8, $end)
			. self::attributes(9, Json::map($row['attributes']))
			. self::number(10, (int) $row['dropped_attributes'])
			. self::each(11, $row['events'], self::event(...))
			. self::number(12, (int) $row['dropped_events'])
			. self::each(13, $row['links'], self::link(...))
			. self::number(14, (int) $row['dropped_links'])
			. ($status === '' ? '' : self::bytes(15, $status))
			. self::fixed32(16, (int) $row['flags']));
	}

	private static function event(object $event): string
	{
		return self::fixed64(1, (int) ($event->time_ns ?? 0)) . self::bytes(2, Text::utf8((string) ($event->name ?? '')))
			. self::attributes(3, (array) ($event->attributes ?? [])) . self::number(4, (int) ($event->dropped ?? 0));
	}

	private static function link(object $link): string
	{
		return self::id(1, (string) ($link->trace_id ?? '')) . self::id(2, (string) ($link->span_id ?? ''))
			. self::text(3, (string) ($link->trace_state ?? ''))
			. self::attributes(4, (array) ($link->attributes ?? [])) . self::number(5, (int) ($link->dropped ?? 0))
			. self::fixed32(6, (int) ($link->flags ?? 0));
	}

	/** @param callable(object): string $make */
	private static function each(int $field, ?string $json, callable $make): string
	{
		$list = Json::decode($json);
		$fields = '';
		foreach (is_array($list) ? array_filter($list, 'is_object') : [] as $object) {
			$fields .= self::bytes($field, $make($object));
		}
		return $fields;
	}

	/** @param array<int|string, mixed> $map */
	private static function attributes(int $field, array $map): string
	{
		$fields = '';
		foreach ($map as $key => $value) {
			$fields .= self::bytes($field, self::text(1, (string) $key) . self::bytes(2, self::value($value)));
		}
		return $fields;
	}

	/** The fields of an AnyValue. Which one it has says its type, so it is there also when it is empty. */
	private static function value(mixed $value): string
	{
		return match (true) {
			is_bool($value) => self::tag(2, self::VARINT) . ($value ? "\1" : "\0"),
			is_int($value) => self::tag(3, self::VARINT) . self::varint($value),
			is_float($value) => self::tag(4, self::FIXED64) . pack('e', $value),
			is_string($value) && isset(self::NOT_FINITE[$value])
				=> self::tag(4, self::FIXED64) . pack('e', self::NOT_FINITE[$value]),
			is_object($value) => self::bytes(6, self::attributes(1, (array) $value)),
			is_array($value) => self::bytes(5, implode('', array_map(
				static fn (mixed $v): string => self::bytes(1, self::value($v)), $value))),
			$value === null => '',
			default => self::bytes(1, Text::utf8((string) $value)),
		};
	}

	private static function id(int $field, string $hex): string
	{
		return $hex === '' ? '' : self::bytes($field, (string) @hex2bin($hex));
	}

	private static function text(int $field, string $text): string
	{
		return $text === '' ? '' : self::bytes($field, Text::utf8($text));
	}

	private static function number(int $field, int $number): string
	{
		return $number === 0 ? '' : self::tag($field, self::VARINT) . self::varint($number);
	}

	private static function fixed64(int $field, int $number): string
	{
		return self::tag($field, self::FIXED64) . pack('P', $number);
	}

	private static function fixed32(int $field, int $number): string
	{
		return $number === 0 ? '' : self::tag($field, self::FIXED32) . pack('V', $number);
	}

	private static function bytes(int $field, string $bytes): string
	{
		return self::tag($field, self::BYTES) . self::varint(strlen($bytes)) . $bytes;
	}

	private static function tag(int $field, int $type): string
	{
		return self::varint($field << 3 | $type);
	}

	/** Of 64 bits: a negative number has ten bytes. */
	private static function varint(int $number): string
	{
		$bytes = '';
		while (($number & ~0x7f) !== 0) {
			$bytes .= chr($number & 0x7f | 0x80);
			$number = $number >> 7 & 0x01ffffffffffffff;
		}
		return $bytes . chr($number);
	}
}
