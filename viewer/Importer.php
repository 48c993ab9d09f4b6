<?php

declare(strict_types=1);

namespace Opa\Viewer;

/**
 * Brings in what lies in a spool's journals, by the exporter; or waits for the one that does. What is for
 * a collector is left to the exporter that PHP starts: a command waits for no network.
 */
final class Importer
{
	private const ANOTHER_EXPORTER = 3;
	private const PATIENCE = 1.0;

	public function __construct(private readonly Environment $env)
	{
	}

	/** Never fails: what went wrong is said, and what the store has is still shown. */
	public function run(Spool $spool, Context $context): void
	{
		$waiting = $this->waiting($spool);
		if ($waiting === []) {
			return;
		}
		if ($spool->isServed()) {
			$this->await($spool, $waiting, $context);
			return;
		}
		$program = $this->find();
		if ($program === null) {
			$context->note(Format::plural(count($waiting), 'journal') . " in $spool->path not brought in: "
				. 'opa-exporter was not found beside opa.so; OPA_EXPORTER=/path names it');
			return;
		}
		[$code, $message] = $this->start($program, $spool);
		if ($code === self::ANOTHER_EXPORTER) {
			$this->await($spool, $waiting, $context);
		} elseif ($code !== 0) {
			$context->note("the store may be behind: " . ($message !== '' ? $message
				: "$program ended with code $code"));
		}
	}

	/** $OPA_EXPORTER, opa.exporter_path, beside opa.so, in the checkout. */
	public function find(): ?string
	{
		$extensions = ini_get('extension_dir');
		$candidates = [
			$this->env->get('OPA_EXPORTER'),
			$this->env->setting('opa.exporter_path'),
			is_string($extensions) ? "$extensions/opa-exporter" : null,
			dirname(__DIR__) . '/modules/opa-exporter',
		];
		foreach ($candidates as $path) {
			if ($path !== null && is_file($path) && is_executable($path)) {
				return $path;
			}
		}
		return null;
	}

	/** @return array{int, string} exit code and what it said */
	private function start(string $program, Spool $spool): array
	{
		$null = ['file', '/dev/null', 'r+'];
		$process = @proc_open([$program, '--spool', $spool->path, '--once', '--local'],
			[$null, $null, ['pipe', 'w']], $pipes);
		if ($process === false) {
			return [1, "$program could not be started"];
		}
		$message = trim((string) stream_get_contents($pipes[2]));
		fclose($pipes[2]);
		return [proc_close($process), $message];
	}

	/**
	 * Journals with something that is in no store yet: name => how far it goes.
	 * @return array<string, int>
	 */
	private function waiting(Spool $spool): array
	{
		$waiting = $spool->localJournals();
		if ($waiting === []) {
			return [];
		}
		foreach ($this->positions($spool) as $journal => $offset) {
			if (($waiting[$journal] ?? PHP_INT_MAX) <= $offset) {
				unset($waiting[$journal]);
			}
		}
		return $waiting;
	}

	/** @return array<string, int> */
	private function positions(Spool $spool): array
	{
		$positions = [];
		foreach ((new Places($this->env))->fit([$spool]) as $path => $owner) {
			try {
				$positions = Store::open($path, $this->env)->positions() + $positions;
			} catch (Problem) {
				continue;
			}
		}
		return $positions;
	}

	/**
	 * Until the exporter that serves the spool has everything that was there when we came.
	 * @param array<string, int> $goal
	 */
	private function await(Spool $spool, array $goal, Context $context): void
	{
		$end = microtime(true) + self::PATIENCE;
		while (microtime(true) < $end) {
			$left = $this->waiting($spool);
			$positions = $this->positions($spool);
			foreach ($goal as $journal => $size) {
				if (!isset($left[$journal]) || ($positions[$journal] ?? 0) >= $size) {
					unset($goal[$journal]);
				}
			}
			if ($goal === []) {
				return;
			}
			usleep(20_000);
		}
		$context->note('the store may be behind: ' . ($spool->state()['problem']
			?? 'the exporter has not brought in everything yet'));
	}
}
