<?php

declare(strict_types=1);

namespace Opa\Viewer;

/** The filters of `opa list` and `opa tail`, and the query that they make. */
final class TraceFilter
{
	public const ORDERS = ['time' => 't.start_ns DESC, t.seq DESC',
		'duration' => 't.duration_ns DESC, t.start_ns DESC, t.seq DESC'];

	private const CODE = "json_extract(CASE WHEN json_valid(r.attributes) THEN r.attributes ELSE '{}' END,
		'$.\"http.response.status_code\"')";

	/** @var list<string> */
	private array $conditions = [];

	/** @var array<string, int|string> */
	private array $values = [];

	/** @return list<Option> */
	public static function options(): array
	{
		return [
			new Option('since', 'TIME', '30m, 2h, 1d ago; or a time: 14:30, 2026-01-31, yesterday'),
			new Option('until', 'TIME', 'began before then; a time as for --since'),
			new Option('min', 'DURATION', 'only traces that took at least that long: 500ms, 2s'),
			new Option('error', '', 'only traces with an error, in whichever span'),
			new Option('status', 'STATUS', 'as in the list: 404, 5xx, ok, error, open'),
			new Option('name', 'TEXT', 'name or path contains TEXT; with * or ? it has to match'),
			new Option('service', 'NAME', 'service.name; * and ? stand for anything'),
			new Option('tag', 'KEY[=VALUE]', 'a span has this tag; repeatable; VALUE may have * and ?', true),
		];
	}

	public function __construct(Options $options, Clock $clock)
	{
		if ($options->has('since')) {
			$this->add('t.start_ns >= :since', ['since' => $clock->parseTime($options->get('since'), '--since')]);
		}
		if ($options->has('until')) {
			$this->add('t.start_ns < :until', ['until' => $clock->parseTime($options->get('until'), '--until')]);
		}
		if ($options->has('min')) {
			$ns = Clock::parseDuration($options->get('min'), '--min');
			$this->add('t.duration_ns >= :min', ['min' => $ns]);
		}
		if ($options->has('error')) {
			$this->add('(t.status = 2 OR t.errors > 0)', []);
		}
		if ($options->has('status')) {
			$this->addStatus(strtolower($options->get('status')));
		}
		if ($options->has('service')) {
			$this->add('t.service GLOB :service', ['service' => self::glob($options->get('service'))]);
		}
		if ($options->has('name')) {
			$this->addName($options->get('name'));
		}
		foreach ($options->all('tag') as $i => $tag) {
			$this->addTag($tag, $i);
		}
	}

	/** Whether it lets everything through. */
	public function isEmpty(): bool
	{
		return $this->conditions === [];
	}

	/**
	 * Rows of `traces` with `root_attributes` and `gaps`.
	 * @param string $order one of ORDERS
	 * @return list<array<string, mixed>>
	 */
	public function first(Store $store, string $order, int $limit): array
	{
		return $this->select($store, 'ORDER BY ' . self::ORDERS[$order] . ' LIMIT :limit',
			['limit' => $limit]);
	}

	/**
	 * Complete traces that came in at or after that time, in the order of their start.
	 * @return list<array<string, mixed>>
	 */
	public function arrivedSince(Store $store, int $storedNs): array
	{
		return $this->select($store, 'AND t.stored_ns >= :stored AND t.complete = 1 '
			. 'ORDER BY t.start_ns, t.seq', ['stored' => $storedNs]);
	}

	/**
	 * How many there are: those of the newest so many, in the order in which they came.
	 * @return array{traces: int, spans: int, from: int, to: int} the first and the last `seq`; 0: none
	 */
	public function extent(Store $store, int $limit): array
	{
		$where = implode(' AND ', $this->conditions) ?: '1';
		$row = $store->rows("SELECT count(*) AS traces, coalesce(sum(spans), 0) AS spans,
			coalesce(min(seq), 0) AS first, coalesce(max(seq), 0) AS last FROM (SELECT t.seq, t.spans
			FROM traces t LEFT JOIN spans r ON r.trace_id = t.trace_id AND r.span_id = t.root_span_id
			WHERE $where ORDER BY t.seq DESC LIMIT :limit)", $this->values + ['limit' => $limit])[0];
		return ['traces' => (int) $row['traces'], 'spans' => (int) $row['spans'],
			'from' => (int) $row['first'], 'to' => (int) $row['last']];
	}

	/**
	 * Their ids, in that order, some at a time: whoever takes long holds no transaction open.
	 * @return \Generator<int, string>
	 */
	public function ids(Store $store, int $from, int $to): \Generator
	{
		$where = implode(' AND ', $this->conditions) ?: '1';
		do {
			$rows = $store->rows("SELECT t.seq, t.trace_id FROM traces t LEFT JOIN spans r
				ON r.trace_id = t.trace_id AND r.span_id = t.root_span_id
				WHERE $where AND t.seq BETWEEN :from AND :to ORDER BY t.seq LIMIT 500",
				$this->values + ['from' => $from, 'to' => $to]);
			foreach ($rows as $row) {
				yield (string) $row['trace_id'];
				$from = (int) $row['seq'] + 1;
			}
		} while ($rows !== []);
	}

	/**
	 * A pattern as GLOB has it, in which only * and ? are special.
	 */
	public static function glob(string $pattern): string
	{
		return str_replace('[', '[[]', $pattern);
	}

	/** "substring or glob": what GLOB is to be given, in lower case. */
	public static function contains(string $text): string
	{
		$pattern = self::glob(strtolower($text));
		return strpbrk($text, '*?') === false ? "*$pattern*" : $pattern;
	}

	/** A JSON column that is safe to walk, whatever is in it. */
	public static function json(string $column): string
	{
		return "CASE WHEN json_valid($column) THEN $column ELSE '{}' END";
	}

	/**
	 * @param array<string, int|string> $values
	 * @return list<array<string, mixed>>
	 */
	private function select(Store $store, string $tail, array $values): array
	{
		$where = implode(' AND ', $this->conditions) ?: '1';
		$rows = $store->rows("SELECT t.*, r.attributes AS root_attributes FROM traces t LEFT JOIN spans r
			ON r.trace_id = t.trace_id AND r.span_id = t.root_span_id WHERE $where $tail",
			$this->values + $values);
		return array_map(static fn (array $row): array => $row + ['gaps' => $store->hasGaps($row)], $rows);
	}

	/** @param array<string, int|string> $values */
	private function add(string $condition, array $values): void
	{
		$this->conditions[] = $condition;
		$this->values += $values;
	}

	/** What TraceTable::status() shows. */
	private function addStatus(string $status): void
	{
		$code = self::CODE;
		if (preg_match('/^([1-9])xx$/D', $status, $m) === 1) {
			$this->add("$code BETWEEN :low AND :high", ['low' => 100 * (int) $m[1], 'high' => 100 * (int) $m[1] + 99]);
			return;
		}
		if (preg_match('/^[1-9][0-9]{2}$/D', $status) === 1) {
			$this->add("$code = :code", ['code' => (int) $status]);
			return;
		}
		$failed = "(t.status = 2 OR coalesce($code, 0) >= 500)";
		$this->add(match ($status) {
			'error' => $failed,
			'ok' => "NOT $failed AND t.complete = 1",
			'open' => 't.complete = 0',
			default => throw new UsageError("--status: '" . Text::safe($status)
				. "' is none of 404 (a code), 5xx, ok, error, open"),
		}, []);
	}

	private function addName(string $text): void
	{
		$path = "coalesce(json_extract(" . self::json('r.attributes') . ", '$.\"url.path\"'), '')";
		$this->add("(lower(t.name) GLOB :name OR lower($path) GLOB :name
			OR lower(t.name || ' ' || $path) GLOB :name)", ['name' => self::contains($text)]);
	}

	private function addTag(string $tag, int $i): void
	{
		[$key, $value] = explode('=', $tag, 2) + [1 => null];
		if ($key === '') {
			throw new UsageError("--tag: '" . Text::safe($tag) . "' is not KEY=VALUE");
		}
		$match = "e.key = :key$i";
		if ($value !== null) {
			$match .= ' AND (' . self::textOf('e') . " GLOB :value$i OR (e.type = 'array' AND EXISTS
				(SELECT 1 FROM json_each(e.value) a WHERE " . self::textOf('a') . " GLOB :value$i)))";
			$this->values["value$i"] = self::glob($value);
		}
		// Most spans do not have the key: looking for its letters first is ten times faster.
		$plain = preg_match('~^[\w.-]+$~D', $key) === 1;
		$quick = $plain ? "AND instr(x.attributes, :key$i)" : '';
		$quickResource = $plain ? "AND instr(y.attributes, :key$i)" : '';
		$this->add("EXISTS (SELECT 1 FROM spans x WHERE x.trace_id = t.trace_id AND (
				EXISTS (SELECT 1 FROM json_each(" . self::json('x.attributes') . ") e WHERE $match $quick)
				OR x.resource IN (SELECT y.id FROM resources y, json_each("
				. self::json('y.attributes') . ") e WHERE $match $quickResource)))", ["key$i" => $key]);
	}

	/** What json_each calls a value, as one would type it. */
	private static function textOf(string $alias): string
	{
		return "CASE $alias.type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' WHEN 'null' THEN 'null'
			ELSE CAST($alias.value AS TEXT) END";
	}
}
