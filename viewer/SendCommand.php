<?php

declare(strict_types=1);

namespace Opa\Viewer;

/**
 * Ships what the store holds to a collector. It remembers nothing: run twice it sends twice, and
 * collectors tell spans apart by their ids.
 */
final class SendCommand implements Command
{
	private const SPANS_READ = 2000;
	private const SPANS_OF_RECORD = 64;
	private const BYTES_OF_RECORD = 65_536;
	private const PROBLEMS_TOLD = 10;

	private Context $context;
	private bool $stopped = false;
	private int $told = 0;

	public static function spec(): Spec
	{
		return new Spec('send', 'ENDPOINT', 'sends what the store holds to an OpenTelemetry collector', [
			...CollectorOptions::options(),
			...TraceFilter::options(),
			new Option('limit', 'N', 'at most N traces, the newest', false, 'n'),
			new Option('wait', 'DURATION', 'how long a collector that is away is waited for (default 1m)'),
			new Option('dry-run', '', 'say what would be sent, and send nothing'),
			new Option('json', '', 'the result as one JSON object'),
		], [
			'opa send http://collector:4318' => 'all that the store holds',
			'opa send http://localhost:4318 --since 1h --dry-run' => 'how much that would be',
			'opa send https://otlp.example.com --header @/root/api-key' => 'credentials from a file',
			'opa send https://collector:4318 --ca-file ca.pem --error' => 'what failed, to a CA of your own',
			'opa send unix:///run/otelcol.sock --user www-data' => "as root: another user's traces",
		], 1);
	}

	private readonly CollectorOptions $collector;
	private readonly TraceFilter $filter;
	private readonly int $limit;
	private readonly int $patience;

	public function __construct(private readonly Options $options, Clock $clock)
	{
		$this->collector = new CollectorOptions($options);
		$this->filter = new TraceFilter($options, $clock);
		$this->limit = $options->count('limit', PHP_INT_MAX);
		$seconds = intdiv(Clock::parseDuration($options->get('wait') ?? '1m', '--wait'), 1_000_000_000);
		$this->patience = min($seconds, 86_400);
	}

	public function run(Context $context): int
	{
		$this->context = $context;
		$definition = $this->collector->definition();
		$store = $context->store();
		$extent = $this->filter->extent($store, $this->limit);
		if ($this->options->has('dry-run')) {
			$this->printPlan($extent);
			return 0;
		}
		$exporter = (new Importer($context->env))->find();
		if ($exporter === null) {
			throw new Problem('opa-exporter was not found beside opa.so', 'OPA_EXPORTER=/path names it');
		}
		$this->catchSignals();
		$shipment = new Shipment($exporter, $definition, $this->patience, $this->tell(...),
			fn (): bool => $this->stopped || $context->env->isAbandoned());
		foreach ($this->filter->ids($store, $extent['from'], $extent['to']) as $id) {
			$shipment->begin();
			if (!$this->sendTrace($shipment, $store, $id)) {
				break;
			}
		}
		$shipment->finish();
		return $this->report($shipment, $extent);
	}

	/** False when nothing more is taken. */
	private function sendTrace(Shipment $shipment, Store $store, string $id): bool
	{
		$last = '';
		do {
			$rows = $store->rows('SELECT s.*, r.attributes AS resource_attributes FROM spans s
				LEFT JOIN resources r ON r.id = s.resource WHERE s.trace_id = :id AND s.span_id > :last
				ORDER BY s.span_id LIMIT ' . self::SPANS_READ, ['id' => $id, 'last' => $last]);
			$byResource = [];
			foreach ($rows as $row) {
				$last = (string) $row['span_id'];
				$byResource[$row['resource']][] = $row;
			}
			foreach ($byResource as $ofOne) {
				usort($ofOne, static fn (array $a, array $b): int => $a['start_ns'] <=> $b['start_ns']);
				if (!$this->sendSpans($shipment, $ofOne)) {
					return false;
				}
			}
		} while (count($rows) === self::SPANS_READ);
		return true;
	}

	/** @param non-empty-list<array<string, mixed>> $rows of one resource */
	private function sendSpans(Shipment $shipment, array $rows): bool
	{
		$attributes = $rows[0]['resource_attributes'];
		$resource = OtlpWriter::resource($attributes);
		$scope = OtlpWriter::scope($attributes);
		$spans = '';
		$count = 0;
		foreach ($rows as $i => $row) {
			$spans .= OtlpWriter::span($row);
			$isFull = ++$count >= self::SPANS_OF_RECORD || strlen($spans) >= self::BYTES_OF_RECORD;
			if ($isFull || $i === count($rows) - 1) {
				if (!$shipment->add($resource, $scope . $spans, $count)) {
					return false;
				}
				$spans = '';
				$count = 0;
			}
		}
		return true;
	}

	/** While it goes on: on stderr, so many of them. */
	private function tell(string $what, string $text): void
	{
		$text = CollectorOptions::words($text);
		if ($what === 'later') {
			$this->context->note($text);
		} elseif (++$this->told <= self::PROBLEMS_TOLD) {
			$this->context->note(($what === 'dropped' ? 'refused, and passed over: ' : '') . $text);
		}
	}

	/** @param array{traces: int, spans: int, from: int, to: int} $extent */
	private function printPlan(array $extent): void
	{
		$out = $this->context->out;
		$url = Spool::withoutCredentials($this->collector->endpoint);
		if ($this->options->has('json')) {
			$out->json(['endpoint' => $url, 'headers' => $this->collector->shownHeaders(),
				'traces' => $extent['traces'], 'spans' => $extent['spans']]);
			return;
		}
		$out->line('would send ' . self::amount($extent['traces'], $extent['spans']) . ' to ' . Text::safe($url));
		foreach ($this->collector->shownHeaders() as $header) {
			$out->line('  with ' . Text::safe($header));
		}
	}

	/** @param array{traces: int, spans: int, from: int, to: int} $extent */
	private function report(Shipment $shipment, array $extent): int
	{
		$traces = max(0, $extent['traces'] - $shipment->tracesSent - $shipment->tracesIncomplete);
		$spans = max(0, $extent['spans'] - $shipment->spansSent - $shipment->spansRejected - $shipment->spansDropped);
		$isWhole = $shipment->problem === '';
		$facts = [
			'endpoint' => Spool::withoutCredentials($this->collector->endpoint),
			'traces' => ['sent' => $shipment->tracesSent, 'incomplete' => $shipment->tracesIncomplete,
				'not_sent' => $isWhole ? 0 : $traces],
			'spans' => ['sent' => $shipment->spansSent, 'rejected' => $shipment->spansRejected,
				'dropped' => $shipment->spansDropped, 'not_sent' => $isWhole ? 0 : $spans],
			'problem' => $isWhole ? null : CollectorOptions::words($shipment->problem),
		];
		$this->options->has('json') ? $this->context->out->json($facts) : $this->print($facts);
		return $isWhole && $shipment->spansRejected + $shipment->spansDropped === 0 ? 0 : 1;
	}

	/** @param array<string, mixed> $facts */
	private function print(array $facts): void
	{
		$out = $this->context->out;
		$spans = $facts['spans'];
		$out->line('sent ' . self::amount($facts['traces']['sent'] + $facts['traces']['incomplete'], $spans['sent'])
			. ' to ' . Text::safe($facts['endpoint']));
		if ($spans['rejected'] > 0) {
			$out->line($out->paint('yellow', 'rejected ' . Format::plural($spans['rejected'], 'span')
				. ' by the collector, of those that it took'));
		}
		if ($spans['dropped'] > 0) {
			$out->line($out->paint('yellow', 'passed over ' . Format::plural($spans['dropped'], 'span') . ' of '
				. Format::plural($facts['traces']['incomplete'], 'trace') . ', which the collector refused'));
		}
		if ($facts['problem'] !== null) {
			$out->line($out->paint('error', 'not sent ' . self::amount($facts['traces']['not_sent'], $spans['not_sent'])
				. ': ' . Text::safe($facts['problem'])));
			$this->context->note('what was sent is not remembered: run again, all of it is sent again, '
				. 'and collectors tell spans apart by their ids');
		} elseif ($facts['traces']['sent'] + $facts['traces']['incomplete'] === 0) {
			$this->context->note($this->filter->isEmpty() ? 'no trace is in the store yet' : 'no trace matches');
		}
	}

	private static function amount(int $traces, int $spans): string
	{
		return Format::plural($traces, 'trace') . ', ' . Format::plural($spans, 'span');
	}

	private function catchSignals(): void
	{
		if (function_exists('pcntl_async_signals')) {
			pcntl_async_signals(true);
			foreach ([SIGINT, SIGTERM] as $signal) {
				pcntl_signal($signal, function (): void {
					$this->stopped = true;
				});
			}
		}
	}
}
