<?php

declare(strict_types=1);

namespace Opa\Viewer;

final class TailCommand implements Command
{
	private const PERIOD = 1.0;
	private const REMEMBERED = 20_000;

	/** @var array<string, true> traces that were printed, oldest first */
	private array $seen = [];

	/** @var array<string, true> traces that were still incomplete when we came */
	private array $open = [];
	private int $lastOld = 0;
	private bool $stopped = false;
	private bool $waited = false;

	public static function spec(): Spec
	{
		return new Spec('tail', '', 'follows new traces until Ctrl-C', [
			...TraceFilter::options(),
			new Option('json', '', 'one JSON object a line'),
		], [
			'opa tail' => 'every request and script as it ends',
			'opa tail --error' => 'only what fails',
			'opa tail --min 1s --service shop' => 'only what is slow in one service',
			'opa tail --since 5m' => 'with those of the last five minutes in front',
		]);
	}

	private readonly TraceFilter $filter;

	public function __construct(private readonly Options $options, Clock $clock)
	{
		$this->filter = new TraceFilter($options, $clock);
	}

	public function run(Context $context): int
	{
		$options = $this->options;
		$this->catchSignals();
		$store = $this->await($context, null);
		$table = new TraceTable($context->out, $context->clock, [], 20);
		if (!$options->has('json')) {
			$table->head();
		}
		$since = $options->has('since') || $this->waited || $store === null ? 0 : $this->position($store);
		while ($store !== null) {
			foreach ($this->filter->arrivedSince($store, $since) as $row) {
				if ($this->isNew($row)) {
					$options->has('json')
						? $context->out->json(ListCommand::object($row))
						: $table->row($row);
				}
			}
			$since = max($since, (int) $store->value('SELECT max(stored_ns) FROM traces'));
			$context->out->flush();
			if (!$this->pause($context)) {
				return 0;
			}
			$before = $store;
			$store = $this->await($context, $before);
			if ($store !== $before) {
				[$since, $this->lastOld] = [0, 0];
			}
		}
		return 0;
	}

	/**
	 * The store, as soon as there is one; null when the user has had enough of waiting. One that was
	 * asked for by name has to be there at the beginning.
	 */
	private function await(Context $context, ?Store $before): ?Store
	{
		for ($told = false; ; $told = true) {
			try {
				return $context->sources->refresh($context);
			} catch (Problem $e) {
				if ($before === null && $context->sources->isNamed()) {
					throw $e;
				}
				if (!$told) {
					$context->note($e->getMessage() . '; waiting for one');
				}
				$this->waited = true;
			}
			if (!$this->pause($context)) {
				return null;
			}
		}
	}

	/** What is complete by now is not news, even if a late piece of it arrives. */
	private function position(Store $store): int
	{
		$this->lastOld = (int) $store->value('SELECT max(seq) FROM traces');
		$open = $store->rows('SELECT trace_id FROM traces WHERE complete = 0');
		$this->open = array_fill_keys(array_column($open, 'trace_id'), true);
		return (int) $store->value('SELECT max(stored_ns) FROM traces');
	}

	/** @param array<string, mixed> $row */
	private function isNew(array $row): bool
	{
		$old = (int) $row['seq'] <= $this->lastOld && !isset($this->open[$row['trace_id']]);
		if ($old || isset($this->seen[$row['trace_id']])) {
			return false;
		}
		$this->seen[$row['trace_id']] = true;
		if (count($this->seen) > self::REMEMBERED) {
			$this->seen = array_slice($this->seen, intdiv(self::REMEMBERED, 2), null, true);
		}
		return true;
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

	/** False when the user has asked to stop. */
	private function pause(Context $context): bool
	{
		$end = microtime(true) + self::PERIOD;
		while (!$this->stopped && ($left = $end - microtime(true)) > 0) {
			usleep((int) (min($left, 0.1) * 1e6));
			$this->stopped = $this->stopped || $context->env->isAbandoned();
		}
		return !$this->stopped;
	}
}
