<?php

declare(strict_types=1);

namespace Opa\Viewer;

final class StatsCommand implements Command
{
	private const SORTS = ['total', 'count', 'rate', 'p50', 'p95', 'p99', 'max', 'errors', 'name'];

	public static function spec(): Spec
	{
		return new Spec('stats', '', 'counts, rates and percentiles for each span name', [
			new Option('since', 'TIME', 'from then on (default 1h); a time as in `opa list`; all'),
			new Option('service', 'NAME', 'service.name; * and ? stand for anything'),
			new Option('name', 'TEXT', 'the name contains TEXT; with * or ? it has to match'),
			new Option('kind', 'KIND', implode(', ', Format::kinds())),
			new Option('roots', '', 'requests and scripts only, not what is in them'),
			new Option('sort', 'COLUMN', implode(', ', self::SORTS) . ' (default total)'),
			new Option('limit', 'N', 'at most N lines (default 30)', false, 'n'),
			new Option('json', '', 'one JSON object a line, times in nanoseconds'),
		], [
			'opa stats' => 'where the last hour went',
			'opa stats --roots --sort p95' => 'the slowest pages',
			'opa stats --kind client --since 1d' => 'databases and other services, one day',
			'opa stats --sort errors -n 5' => 'what fails most',
		]);
	}

	private readonly string $sort;
	private readonly int $limit;
	private readonly bool $json;
	private readonly string $where;
	private readonly int $since;

	/** @var array<string, int|string> */
	private readonly array $values;

	public function __construct(Options $options, Clock $clock)
	{
		$this->sort = $options->oneOf('sort', self::SORTS, 'total');
		$this->limit = $options->count('limit', 30);
		$this->json = $options->has('json');
		[$this->where, $this->values, $this->since] = self::conditions($options, $clock);
	}

	public function run(Context $context): int
	{
		$sort = $this->sort;
		$since = $this->since;
		$store = $context->store();
		$groups = $this->collect($store, $this->where, $this->values);
		if ($since === 0) {
			$since = (int) $store->value('SELECT min(start_ns) FROM spans');
		}
		$minutes = max(1, $context->clock->now() - $since) / 60e9;
		$rows = [];
		foreach ($groups as $group) {
			$rows[] = self::summary($group, $minutes);
		}
		usort($rows, static fn (array $a, array $b): int => ($sort === 'name'
			? strcmp($a['name'], $b['name']) : $b[$sort] <=> $a[$sort])
			?: [$a['name'], $a['kind']] <=> [$b['name'], $b['kind']]);
		$shown = array_slice($rows, 0, $this->limit);
		if ($this->json) {
			foreach ($shown as $row) {
				$context->out->json($row);
			}
			return 0;
		}
		if ($rows === []) {
			$context->note('no span since then. Longer ago:  opa stats --since 1d  (or all)');
			return 0;
		}
		$this->print($context->out, $shown);
		if (count($rows) > $this->limit) {
			$context->note(Format::count(count($rows) - $this->limit) . ' more with --limit ' . count($rows));
		}
		return 0;
	}

	/**
	 * The p-th percentile of sorted values by nearest rank: the smallest one that at least p% of
	 * them do not exceed. Always one of the values, never something in between.
	 * @param non-empty-list<int> $sorted
	 */
	public static function percentile(array $sorted, int $p): int
	{
		return $sorted[max(0, intdiv(count($sorted) * $p + 99, 100) - 1)];
	}

	/** @return array{string, array<string, int|string>, int} */
	private static function conditions(Options $options, Clock $clock): array
	{
		$since = $clock->parseTime($options->get('since') ?? '1h', '--since');
		$where = ['s.start_ns >= :since'];
		$values = ['since' => $since];
		if ($options->has('service')) {
			$where[] = 's.resource IN (SELECT id FROM resources WHERE service GLOB :service)';
			$values['service'] = TraceFilter::glob($options->get('service'));
		}
		if ($options->has('name')) {
			$where[] = 'lower(s.name) GLOB :name';
			$values['name'] = TraceFilter::contains($options->get('name'));
		}
		if ($options->has('kind')) {
			$kinds = Format::kinds();
			$where[] = 's.kind = :kind';
			$values['kind'] = 1 + (int) array_search($options->oneOf('kind', $kinds, ''), $kinds, true);
		}
		if ($options->has('roots')) {
			$where[] = '(s.parent_id IS NULL OR s.remote = 1)';
		}
		return [implode(' AND ', $where), $values, $since];
	}

	/**
	 * @param array<string, int|string> $values
	 * @return array<string, array{name: string, kind: int, durations: list<int>, errors: int}>
	 */
	private function collect(Store $store, string $where, array $values): array
	{
		$groups = [];
		$statement = $store->query("SELECT s.name, s.kind, s.duration_ns, s.status FROM spans s WHERE $where",
			$values);
		while ($row = $statement->fetch(\PDO::FETCH_NUM)) {
			$key = $row[1] . ' ' . $row[0];
			if (!isset($groups[$key])) {
				$groups[$key] = ['name' => (string) $row[0], 'kind' => (int) $row[1], 'durations' => [],
					'errors' => 0];
			}
			$groups[$key]['durations'][] = (int) $row[2];
			if ((int) $row[3] === 2) {
				$groups[$key]['errors']++;
			}
		}
		return $groups;
	}

	/**
	 * @param array{name: string, kind: int, durations: non-empty-list<int>, errors: int} $group
	 * @return array<string, int|float|string>
	 */
	private static function summary(array $group, float $minutes): array
	{
		$durations = $group['durations'];
		sort($durations);
		return [
			'name' => $group['name'],
			'kind' => Format::kind($group['kind']),
			'count' => count($durations),
			'rate' => round(count($durations) / $minutes, 4),
			'p50' => self::percentile($durations, 50),
			'p95' => self::percentile($durations, 95),
			'p99' => self::percentile($durations, 99),
			'max' => end($durations),
			'total' => array_reduce($durations, Format::sum(...), 0),
			'errors' => $group['errors'],
		];
	}

	/** @param list<array<string, int|float|string>> $rows */
	private function print(Output $out, array $rows): void
	{
		$heads = ['NAME', 'KIND', 'COUNT', '/MIN', 'P50', 'P95', 'P99', 'MAX', 'TOTAL', 'ERRORS'];
		$cells = [];
		foreach ($rows as $r) {
			$line = [[Text::safe($r['name']) ?: '(no name)', ''], [$r['kind'], 'dim'],
				[Format::count($r['count']), ''], [Format::rate($r['rate']), 'dim']];
			foreach (['p50', 'p95', 'p99', 'max', 'total'] as $key) {
				$line[] = [Format::duration($r[$key]), $key === 'p95' ? 'bold' : ''];
			}
			$share = $r['errors'] === 0 ? '' : sprintf(' (%d%%)', ceil(100 * $r['errors'] / $r['count']));
			$line[] = [$r['errors'] === 0 ? '-' : Format::count($r['errors']) . $share,
				$r['errors'] === 0 ? 'dim' : 'error'];
			$cells[] = $line;
		}
		$hidden = match (true) {
			$out->columns < 52 => [1, 3, 4, 6, 8, 9],
			$out->columns < 72 => [1, 3, 4, 6, 8],
			$out->columns < 90 => [1, 6],
			default => [],
		};
		$keep = static fn (array $line): array => array_values(array_diff_key($line, array_flip($hidden)));
		$heads = $keep($heads);
		$right = array_map(static fn (string $h): bool => !in_array($h, ['NAME', 'KIND'], true), $heads);
		(new Table($out, $heads, $right))->print(array_map($keep, $cells), $out->columns);
	}
}
