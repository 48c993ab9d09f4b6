<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** A parsed command line. */
final class Options
{
	/**
	 * @param array<string, true|string|list<string>> $values
	 * @param list<string> $arguments
	 */
	private function __construct(private readonly array $values, public readonly array $arguments)
	{
	}

	/**
	 * @param list<string> $argv
	 * @param list<Option> $known
	 */
	public static function parse(array $argv, array $known): self
	{
		$values = [];
		$arguments = [];
		while ($argv !== []) {
			$word = array_shift($argv);
			if ($word === '--') {
				array_push($arguments, ...$argv);
				break;
			}
			if ($word === '-' || !str_starts_with($word, '-')) {
				$arguments[] = $word;
				continue;
			}
			[$option, $value] = self::split($word, $known);
			if ($option->value === '') {
				if ($value !== null) {
					throw new UsageError("--$option->name takes no value");
				}
				$values[$option->name] = true;
				continue;
			}
			if ($value === null && ($argv === [] || str_starts_with($argv[0], '--'))) {
				throw new UsageError("--$option->name needs a value: $option->value");
			}
			$value ??= array_shift($argv);
			if ($option->repeatable) {
				$values[$option->name][] = $value;
			} else {
				$values[$option->name] = $value;
			}
		}
		return new self($values, $arguments);
	}

	/**
	 * A command line for people: without what is secret in it, in options and in URLs.
	 * @param list<string> $argv
	 * @param list<Option> $known
	 * @return list<string>
	 */
	public static function shown(array $argv, array $known): array
	{
		$secret = array_map(static fn (Option $o): string => "--$o->name",
			array_filter($known, static fn (Option $o): bool => $o->secret));
		if ($secret === []) {
			return $argv;
		}
		$shown = [];
		$isSecret = false;
		foreach ($argv as $word) {
			$option = explode('=', $word, 2)[0];
			if ($isSecret) {
				$word = self::masked($word);
			} elseif (in_array($option, $secret, true) && $option !== $word) {
				$word = "$option=" . self::masked(substr($word, strlen($option) + 1));
			}
			$isSecret = !$isSecret && in_array($word, $secret, true);
			$shown[] = Spool::withoutCredentials($word);
		}
		return $shown;
	}

	private static function masked(string $value): string
	{
		return str_contains($value, '=') ? explode('=', $value, 2)[0] . '=REDACTED' : $value;
	}

	public function has(string $name): bool
	{
		return isset($this->values[$name]);
	}

	public function get(string $name): ?string
	{
		$value = $this->values[$name] ?? null;
		return is_string($value) ? $value : null;
	}

	/** @return list<string> */
	public function all(string $name): array
	{
		$value = $this->values[$name] ?? [];
		return is_array($value) ? $value : [];
	}

	public function count(string $name, int $default): int
	{
		$value = $this->get($name);
		if ($value === null) {
			return $default;
		}
		if (preg_match('/^0*[1-9][0-9]{0,8}$/D', $value) !== 1) {
			throw new UsageError("--$name: '" . Text::safe($value) . "' is no whole number from 1 to 999999999");
		}
		return (int) $value;
	}

	/** @param list<string> $allowed */
	public function oneOf(string $name, array $allowed, string $default): string
	{
		$value = $this->get($name) ?? $default;
		if (!in_array($value, $allowed, true)) {
			throw new UsageError("--$name: '" . Text::safe($value) . "' is none of "
				. implode(', ', $allowed));
		}
		return $value;
	}

	/**
	 * @param list<Option> $known
	 * @return array{Option, ?string}
	 */
	private static function split(string $word, array $known): array
	{
		if (!str_starts_with($word, '--')) {
			foreach ($known as $option) {
				if ($option->short !== '' && $option->short === $word[1]) {
					$rest = substr($word, 2);
					return [$option, $rest === '' ? null : ltrim($rest, '=')];
				}
			}
			throw new UsageError("unknown option '" . Text::safe($word) . "'");
		}
		$parts = explode('=', substr($word, 2), 2);
		foreach ($known as $option) {
			if ($option->name === $parts[0]) {
				return [$option, $parts[1] ?? null];
			}
		}
		$names = array_map(static fn (Option $o): string => $o->name, $known);
		$near = self::nearest($parts[0], $names);
		throw new UsageError("unknown option '--" . Text::safe($parts[0]) . "'"
			. ($near === null ? '' : ", did you mean --$near?"));
	}

	/** @param list<string> $names */
	public static function nearest(string $word, array $names): ?string
	{
		$best = null;
		$distance = 3;
		foreach ($names as $name) {
			$d = strlen($word) < 60 ? levenshtein($word, $name) : 99;
			if ($d < $distance) {
				$best = $name;
				$distance = $d;
			}
		}
		return $best;
	}
}
