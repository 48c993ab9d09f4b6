<?php

declare(strict_types=1);

namespace Opa\Viewer;

final class ShowCommand implements Command
{
	public static function spec(): Spec
	{
		return new Spec('show', 'TRACE', 'shows one trace as a waterfall', [
			new Option('tags', '', 'the tags of each span, and what made them'),
			new Option('events', '', 'the events of each span, stack traces included'),
			new Option('self', '', "each span's own time, without that of its children"),
			new Option('all', '', 'every span: repetitions are not folded'),
			new Option('json', '', 'as OTLP/JSON, which any collector takes'),
		], [
			'opa show last' => 'the newest trace',
			'opa show 4bf92f35' => 'by id, or as much of it as makes it unique',
			'opa show last --tags --events' => 'everything that is known',
			'opa show last --self' => 'where the time went: heavy is work, light is waiting for children',
			'opa show 4bf92f35 --all | less -R' => 'a big one at full length',
			"opa show last --json | curl -d @- -H 'Content-Type: application/json' localhost:4318/v1/traces"
				=> 'hand it to a collector',
		], 1);
	}

	/** What the trace's id begins with; null: the newest. */
	private readonly ?string $prefix;

	public function __construct(private readonly Options $options, Clock $clock)
	{
		$wanted = $options->arguments[0]
			?? throw new UsageError('which trace? An id as `opa list` shows it, or: last');
		$this->prefix = $wanted === 'last' ? null : self::prefix($wanted);
	}

	public function run(Context $context): int
	{
		$options = $this->options;
		$store = $context->store();
		$trace = $this->find($context, $store);
		$spans = $store->rows('SELECT s.*, r.service FROM spans s LEFT JOIN resources r ON r.id = s.resource
			WHERE s.trace_id = :id ORDER BY s.start_ns, s.duration_ns DESC, s.span_id',
			['id' => $trace['trace_id']]);
		$resources = $this->resources($store, $spans);
		if ($options->has('json')) {
			$context->out->json(OtlpJson::traces($spans, $resources), $context->out->terminal);
			return 0;
		}
		$tree = new SpanTree($spans, $trace['root_span_id']);
		$this->printHead($context, $trace + ['gaps' => $store->hasGaps($trace)], $tree);
		if ($spans === []) {
			$context->note('its spans are gone');
			return 1;
		}
		(new Waterfall($context->out, $tree, new WaterfallOptions($options->has('tags'),
			$options->has('events'), $options->has('self'), $options->has('all'))))->print();
		if ($options->has('tags')) {
			$this->printResources($context, $resources);
		}
		return 0;
	}

	private static function prefix(string $wanted): string
	{
		$prefix = strtolower($wanted);
		if (preg_match('/^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/D', $prefix, $m) === 1) {
			$prefix = $m[1];
		}
		if (preg_match('/^[0-9a-f]{1,32}$/D', $prefix) !== 1) {
			throw new UsageError("'" . Text::safe($wanted)
				. "' is no trace id: up to 32 hex digits, a traceparent, or: last");
		}
		return $prefix;
	}

	/** @return array<string, mixed> a row of `traces` with root_attributes */
	private function find(Context $context, Store $store): array
	{
		$prefix = $this->prefix;
		$select = 'SELECT t.*, r.attributes AS root_attributes FROM traces t LEFT JOIN spans r
			ON r.trace_id = t.trace_id AND r.span_id = t.root_span_id ';
		if ($prefix === null) {
			$rows = $store->rows($select . 'ORDER BY t.start_ns DESC, t.seq DESC LIMIT 1');
			return $rows[0] ?? throw new Problem('the store is empty');
		}
		$rows = $store->rows($select . 'WHERE t.trace_id >= :low AND t.trace_id < :high
			ORDER BY t.trace_id LIMIT 6', ['low' => $prefix, 'high' => $prefix . 'g']);
		if ($rows === []) {
			throw new Problem("no trace in {$store->path} begins with $prefix",
				"Those that are there:  opa list");
		}
		if (count($rows) > 1) {
			throw new Problem("$prefix is not unique, more than one trace begins with it:",
				implode("\n", array_map(fn (array $r): string => $this->candidate($context, $r), $rows)));
		}
		return $rows[0];
	}

	/** @param array<string, mixed> $row */
	private function candidate(Context $context, array $row): string
	{
		return "$row[trace_id]  " . $context->clock->format((int) $row['start_ns'], 'Y-m-d H:i:s.v')
			. '  ' . implode(' ', TraceTable::label($row));
	}

	/** @param array<string, mixed> $trace */
	private function printHead(Context $context, array $trace, SpanTree $tree): void
	{
		$out = $context->out;
		[$name, $path] = TraceTable::label($trace);
		[$status, $style] = TraceTable::status($trace);
		$columns = $out->columns;
		$service = Text::cut(Text::safe((string) $trace['service']), intdiv($columns, 3));
		$tail = (new Line())->add("  $status", $style)->add("  $service", 'cyan');
		$head = (new Line())->add($name, 'bold')->add($path === '' ? '' : " $path");
		$out->line($head->cut($out, max(10, $columns - $tail->width())) . $tail->cut($out, $columns));
		$facts = [
			$context->clock->format((int) $trace['start_ns'], 'Y-m-d H:i:s.v'),
			Format::duration((int) $trace['duration_ns']),
			($trace['gaps'] ? '≥' : '') . Format::plural((int) $trace['spans'], 'span'),
		];
		$line = (new Line())->add(Text::safe((string) $trace['trace_id']), 'id');
		if ($columns < 90) {
			$out->line($line->cut($out, $columns));
			$line = new Line();
		}
		$line->add(($line->width() > 0 ? '  ' : '') . implode(' · ', $facts), 'dim');
		if ((int) $trace['errors'] > 0) {
			$line->add(' · ', 'dim')->add(Format::plural((int) $trace['errors'], 'error'), 'red');
		}
		$out->line($line->cut($out, $columns));
		$this->printRemarks($context, $trace, $tree);
		$out->line();
	}

	/** @param array<string, mixed> $trace */
	private function printRemarks(Context $context, array $trace, SpanTree $tree): void
	{
		$out = $context->out;
		if ((int) $trace['complete'] !== 1) {
			$out->line((new Line())->add('… not complete yet: its process still runs, or died', 'yellow')
				->cut($out, $out->columns));
		}
		if ($trace['gaps']) {
			$out->line((new Line())->add('! incomplete: spans are missing '
				. '(opa status says what was dropped and why)', 'yellow')->cut($out, $out->columns));
		}
		foreach ($tree->roots as $root) {
			if ($root->row['parent_id'] !== null && $root->mark === '') {
				$parent = Text::safe((string) $root->row['parent_id']);
				$out->line((new Line())->add("↑ called by span $parent of another process", 'dim')
					->cut($out, $out->columns));
			}
		}
	}

	/**
	 * @param list<array<string, mixed>> $spans
	 * @return array<int, ?string>
	 */
	private function resources(Store $store, array $spans): array
	{
		$ids = array_values(array_unique(array_map('intval', array_column($spans, 'resource'))));
		$resources = [];
		foreach ($ids as $id) {
			$attributes = $store->value('SELECT attributes FROM resources WHERE id = :id', ['id' => $id]);
			$resources[$id] = is_string($attributes) ? $attributes : null;
		}
		return $resources;
	}

	/** @param array<int, ?string> $resources */
	private function printResources(Context $context, array $resources): void
	{
		$details = new SpanDetails(0);
		foreach ($resources as $attributes) {
			$context->out->line();
			$context->out->line($context->out->paint('head', 'Recorded by'));
			foreach ($details->tags(Json::map($attributes), $context->out->columns - 2) as $line) {
				$context->out->line('  ' . $line->cut($context->out, $context->out->columns - 2));
			}
		}
	}
}
