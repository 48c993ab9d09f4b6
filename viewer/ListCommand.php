<?php

declare(strict_types=1);

namespace Opa\Viewer;

final class ListCommand implements Command
{
	public static function spec(): Spec
	{
		return new Spec('list', '', 'lists traces, newest or slowest first', [
			...TraceFilter::options(),
			new Option('sort', 'ORDER', 'time (default): the newest first; duration: the slowest first'),
			new Option('limit', 'N', 'at most N traces (default 20)', false, 'n'),
			new Option('json', '', 'one JSON object a line'),
		], [
			'opa list' => 'the newest 20',
			'opa list --since 1h --error' => 'what failed in the last hour',
			'opa list --sort duration --since 1d' => 'the slowest of a day',
			'opa list --status 5xx --since 14:00 --until 14:30' => 'what the servers failed at, then',
			'opa list --name /checkout' => 'requests whose name or path contains it',
			"opa list --tag user.id=42 --tag 'url.path=/cart*'" => 'by the tags of any span',
			'opa list --json | jq .trace_id' => 'for programs',
		]);
	}

	private readonly TraceFilter $filter;
	private readonly int $limit;
	private readonly string $order;
	private readonly bool $json;

	public function __construct(Options $options, Clock $clock)
	{
		$this->filter = new TraceFilter($options, $clock);
		$this->limit = $options->count('limit', 20);
		$this->order = $options->oneOf('sort', array_keys(TraceFilter::ORDERS), 'time');
		$this->json = $options->has('json');
	}

	public function run(Context $context): int
	{
		$rows = $this->filter->first($context->store(), $this->order, $this->limit + 1);
		$isCut = count($rows) > $this->limit;
		$rows = array_slice($rows, 0, $this->limit);
		if ($this->json) {
			array_map(static fn (array $row) => $context->out->json(self::object($row)), $rows);
			return 0;
		}
		if ($rows === []) {
			$context->note($this->filter->isEmpty() ? 'no trace is in the store yet' : 'no trace matches');
			return 0;
		}
		$table = new TraceTable($context->out, $context->clock, $rows);
		$table->head();
		foreach ($rows as $row) {
			$table->row($row);
		}
		if ($isCut && $context->out->terminal) {
			$context->note(($this->order === 'time' ? 'there are older ones' : 'there are more')
				. ': -n ' . 5 * $this->limit . ' shows more, --since, --name and others choose');
		}
		return 0;
	}

	/**
	 * @param array<string, mixed> $row
	 * @return array<string, mixed>
	 */
	public static function object(array $row): array
	{
		$root = Json::map($row['root_attributes']);
		return [
			'trace_id' => $row['trace_id'],
			'start' => Format::rfc3339((int) $row['start_ns']),
			'duration_ns' => (int) $row['duration_ns'],
			'status' => ['unset', 'ok', 'error'][$row['status']] ?? 'unset',
			'http_status' => $root['http.response.status_code'] ?? null,
			'spans' => (int) $row['spans'],
			'errors' => (int) $row['errors'],
			'complete' => (bool) $row['complete'],
			'gaps' => $row['gaps'],
			'name' => $row['name'],
			'path' => $root['url.path'] ?? null,
			'service' => $row['service'],
		];
	}
}
