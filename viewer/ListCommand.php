<?php

declare(strict_types=1);

namespace Opa\Viewer;

final class ListCommand implements Command
{
	public static function spec(): Spec
	{
		return new Spec('list', '', 'lists traces, newest first', [
			...TraceFilter::options(),
			new Option('limit', 'N', 'at most N traces (default 20)', false, 'n'),
			new Option('json', '', 'one JSON object a line'),
		], [
			'opa list' => 'the newest 20',
			'opa list --since 1h --error' => 'what failed in the last hour',
			'opa list --min 500ms -n 50' => 'what was slow',
			'opa list --name /checkout' => 'requests whose name or path contains it',
			"opa list --tag user.id=42 --tag 'url.path=/cart*'" => 'by the tags of any span',
			'opa list --json | jq .trace_id' => 'for programs',
		]);
	}

	public function run(Context $context, Options $options): int
	{
		$filter = new TraceFilter($options, $context->clock);
		$limit = $options->count('limit', 20);
		$rows = $filter->newest($context->store(), $limit);
		if ($options->has('json')) {
			foreach ($rows as $row) {
				$context->out->line(Json::encode(self::object($row)));
			}
			return $rows === [] ? 1 : 0;
		}
		if ($rows === []) {
			$context->note('no trace matches. What there is:  opa list');
			return 1;
		}
		$table = new TraceTable($context->out, $context->clock, $rows);
		$table->head();
		foreach ($rows as $row) {
			$table->row($row);
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
			'name' => $row['name'],
			'path' => $root['url.path'] ?? null,
			'service' => $row['service'],
		];
	}
}
