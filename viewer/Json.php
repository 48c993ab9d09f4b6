<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** JSON in and out. Maps are objects on the way in, so that {} and [] stay what they are. */
final class Json
{
	private const OUT = JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_PRESERVE_ZERO_FRACTION
		| JSON_INVALID_UTF8_SUBSTITUTE | JSON_THROW_ON_ERROR;

	public static function encode(mixed $value, bool $pretty = false): string
	{
		$flags = self::OUT | ($pretty ? JSON_PRETTY_PRINT : 0);
		try {
			return Text::safeJson(json_encode($value, $flags, 4096));
		} catch (\JsonException $e) {
			if ($e->getCode() !== JSON_ERROR_INF_OR_NAN) {
				throw $e;
			}
			return Text::safeJson(json_encode(self::finite($value), $flags, 4096));
		}
	}

	/** Numbers that JSON does not have are strings, as in protobuf's mapping. */
	private static function finite(mixed $value): mixed
	{
		if (is_array($value) || is_object($value)) {
			$parts = array_map(self::finite(...), (array) $value);
			return is_object($value) ? (object) $parts : $parts;
		}
		return match (true) {
			!is_float($value) || is_finite($value) => $value,
			is_nan($value) => 'NaN',
			default => $value > 0 ? 'Infinity' : '-Infinity',
		};
	}

	/** What is not JSON is null: a store may be damaged, the rest of it is still worth showing. */
	public static function decode(?string $json): mixed
	{
		if ($json === null || $json === '') {
			return null;
		}
		$value = json_decode($json, false);
		if ($value === null && json_last_error() === JSON_ERROR_INVALID_PROPERTY_NAME) {
			// PHP's objects cannot have a key that begins with NUL: it is shown as U+2400.
			$key = '/(?<!\\\\)"\\\\u0000(?=([^"\\\\]|\\\\.)*"\s*:)/';
			return json_decode((string) preg_replace($key, '"\u2400', $json), false);
		}
		return $value;
	}

	/**
	 * A map as an array; anything else is an empty one.
	 * @return array<int|string, mixed>
	 */
	public static function map(?string $json): array
	{
		$value = self::decode($json);
		return is_object($value) || is_array($value) ? (array) $value : [];
	}

	/** A value as people read it. Not yet safe for a terminal. */
	public static function text(mixed $value): string
	{
		if (is_string($value)) {
			return $value;
		}
		$value = is_float($value) ? self::finite($value) : $value;
		if (is_string($value)) {
			return $value;
		}
		$json = json_encode($value, self::OUT & ~JSON_THROW_ON_ERROR);
		return $json === false ? '?' : $json;
	}
}
