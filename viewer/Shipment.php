<?php

declare(strict_types=1);

namespace Opa\Viewer;

/**
 * Records on their way to a collector, by `opa-exporter --send` (export/opa_sender.h). It answers them
 * in their order; what it has not answered when it ends was not sent, as far as is known.
 */
final class Shipment
{
	/** Bytes that wait here for the exporter, at most: while it sends, it does not read. */
	private const BACKLOG = 262_144;

	public int $tracesSent = 0;
	public int $tracesIncomplete = 0;
	public int $spansSent = 0;
	public int $spansRejected = 0;
	public int $spansDropped = 0;

	/** Why it did not go through; '': it did. */
	public string $problem = '';
	private bool $hasEnded = false;

	/** @var resource */
	private $process;

	/** @var array<int, resource> */
	private array $pipes;
	private string $out = '';
	private string $in = '';

	/** @var \SplQueue<array{object, int}> records without an answer: their trace and their spans */
	private \SplQueue $records;
	private ?object $trace = null;

	/**
	 * @param list<string> $definition lines
	 * @param \Closure(string $what, string $text): void $tell what happened: later, rejected, dropped
	 * @param \Closure(): bool $isStopped whether the user has asked to stop
	 */
	public function __construct(
		string $exporter,
		array $definition,
		int $patience,
		private readonly \Closure $tell,
		private readonly \Closure $isStopped,
	) {
		$process = @proc_open([$exporter, '--send', '--patience', (string) $patience],
			[['pipe', 'r'], ['pipe', 'w'], ['pipe', 'w']], $pipes);
		if ($process === false) {
			throw new Problem("$exporter could not be started");
		}
		array_map(static fn ($pipe) => stream_set_blocking($pipe, false), $pipes);
		$this->process = $process;
		$this->pipes = $pipes;
		$this->records = new \SplQueue();
		$this->out = implode("\n", $definition) . "\n\n";
	}

	/** The records that follow are of another trace. */
	public function begin(): void
	{
		$this->close();
		$this->trace = (object) ['open' => 0, 'lost' => false, 'closed' => false, 'spans' => 0];
	}

	/** False when the exporter takes no more. */
	public function add(string $resource, string $scopeSpans, int $spans): bool
	{
		$this->out .= "record $spans " . strlen($resource) . ' ' . strlen($scopeSpans) . "\n$resource$scopeSpans";
		$this->trace->open++;
		$this->trace->spans += $spans;
		$this->records->enqueue([$this->trace, $spans]);
		while (!$this->hasEnded && strlen($this->out) > self::BACKLOG) {
			$this->move(0.2);
			if (($this->isStopped)()) {
				return false;
			}
		}
		return !$this->hasEnded;
	}

	/** Waits for all answers. */
	public function finish(): void
	{
		$this->close();
		while (!$this->hasEnded && !($this->isStopped)()) {
			if ($this->out === '' && isset($this->pipes[0])) {
				fclose($this->pipes[0]);
				unset($this->pipes[0]);
			}
			$this->move(0.2);
		}
		if (!$this->hasEnded) {
			$this->interrupt();
		}
		$errors = isset($this->pipes[2]) ? trim((string) stream_get_contents($this->pipes[2])) : '';
		array_map('fclose', $this->pipes);
		$code = proc_close($this->process);
		if ($this->problem === '' && ($code !== 0 || !$this->records->isEmpty())) {
			$this->problem = $errors !== '' ? (string) preg_replace('/^opa-exporter: /', '', $errors)
				: "opa-exporter ended with code $code";
		}
	}

	/** What it has answered until then is still read: that was sent. */
	private function interrupt(): void
	{
		proc_terminate($this->process);
		$this->out = '';
		for ($i = 0; !$this->hasEnded && $i < 25; $i++) {
			$this->move(0.2);
		}
		$this->problem = 'interrupted';
	}

	private function close(): void
	{
		if ($this->trace !== null) {
			$this->trace->closed = true;
			$this->settle($this->trace);
		}
		$this->trace = null;
	}

	private function settle(object $trace): void
	{
		if ($trace->closed && $trace->open === 0 && $trace->spans > 0) {
			$trace->lost ? $this->tracesIncomplete++ : $this->tracesSent++;
		}
	}

	/** Writes and reads what can be, within that time. */
	private function move(float $seconds): void
	{
		$read = [$this->pipes[1]];
		$write = $this->out !== '' && isset($this->pipes[0]) ? [$this->pipes[0]] : null;
		$none = null;
		if ((int) @stream_select($read, $write, $none, 0, (int) ($seconds * 1e6)) === 0) {
			return;
		}
		if ($write !== null && $write !== []) {
			$written = @fwrite($this->pipes[0], substr($this->out, 0, 65536));
			if ($written === false) {
				$this->out = ''; // it has gone; what it had to say is still to be read
				return;
			}
			$this->out = substr($this->out, $written);
		}
		if ($read !== null && $read !== []) {
			$this->read();
		}
	}

	private function read(): void
	{
		$text = (string) fread($this->pipes[1], 65536);
		$this->in .= $text;
		while (($end = strpos($this->in, "\n")) !== false) {
			$this->answer(substr($this->in, 0, $end));
			$this->in = substr($this->in, $end + 1);
		}
		$this->hasEnded = $this->hasEnded || ($text === '' && feof($this->pipes[1]));
	}

	private function answer(string $line): void
	{
		$words = explode(' ', $line, 5);
		match ($words[0]) {
			'taken', 'malformed' => $this->take($words[0] === 'taken', (int) $words[1], (int) $words[3], $words[4] ?? ''),
			'later' => ($this->tell)('later', (explode(' ', $line, 3)[2] ?? '') . '; trying again in '
				. max(1, (int) round((int) $words[1] / 1000)) . ' s'),
			'failed' => $this->problem = substr($line, strlen('failed ')),
			default => null,
		};
	}

	private function take(bool $taken, int $records, int $rejected, string $message): void
	{
		$spans = 0;
		for (; $records > 0 && !$this->records->isEmpty(); $records--) {
			[$trace, $n] = $this->records->dequeue();
			$spans += $n;
			$trace->open--;
			$trace->lost = $trace->lost || !$taken;
			$this->settle($trace);
		}
		$this->spansSent += $taken ? $spans - $rejected : 0;
		$this->spansRejected += $rejected;
		$this->spansDropped += $taken ? 0 : $spans;
		if (!$taken || $message !== '') {
			($this->tell)($taken ? 'rejected' : 'dropped', $message);
		}
	}
}
