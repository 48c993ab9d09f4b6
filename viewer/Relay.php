<?php

declare(strict_types=1);

namespace Opa\Viewer;

/**
 * Copies what another user's process says to this one's output. Whatever it sends, only text and
 * colours come through.
 */
final class Relay
{
	private const CHUNK = 65_536;

	private bool $isAsked = false;

	/** @var ?array<string, mixed> how it ended: PHP tells the exit code only once */
	private ?array $ended = null;

	/** @param bool $verbatim its output is copied byte for byte: a file in a format of its own */
	public function __construct(
		private readonly Output $out,
		private readonly Output $err,
		private readonly bool $verbatim,
	) {
	}

	/**
	 * Until the process has ended. When this one is asked to stop, or nobody reads on, it is stopped.
	 * @param resource $process
	 * @param array<int, resource> $pipes
	 * @return int its exit code
	 */
	public function run($process, array $pipes): int
	{
		$this->catchSignals();
		try {
			$this->copy($process, [1 => $pipes[1], 2 => $pipes[2]]);
		} catch (\Throwable $e) {
			proc_terminate($process, 9);
			throw $e;
		}
		$code = $this->end($process);
		fclose($pipes[0]); // only now: its end tells the process that it has been left alone
		return $code;
	}

	/**
	 * @param resource $process
	 * @param array<int, resource> $pipes
	 */
	private function copy($process, array $pipes): void
	{
		$rest = [1 => '', 2 => ''];
		foreach ($pipes as $pipe) {
			stream_set_blocking($pipe, false);
		}
		while ($pipes !== []) {
			$ready = $pipes;
			$none = null;
			if (@stream_select($ready, $none, $none, 0, 200_000) === false) {
				// A signal came, or there are more descriptors than select() takes: each is looked at.
				$ready = $pipes;
				usleep(5_000);
			}
			$hasEnded = $this->hasEnded($process); // asked first, so that all that it wrote is read
			$hasText = false;
			foreach ($ready as $i => $pipe) {
				$text = (string) fread($pipe, self::CHUNK);
				$hasText = $hasText || $text !== '';
				$isEnd = $text === '' && feof($pipe);
				$rest[$i] = $this->pass($i, $rest[$i] . $text, $isEnd);
				if ($isEnd) {
					unset($pipes[$i]);
				}
			}
			if ($this->isAsked || ($hasEnded && !$hasText)) {
				return; // what others of its owner's still hold open is not waited for
			}
		}
	}

	/** Writes the lines that are complete. What is left of the text: never much. */
	private function pass(int $i, string $text, bool $isEnd): string
	{
		$end = $isEnd || strlen($text) > self::CHUNK ? strlen($text) : (int) strrpos("\n$text", "\n");
		$lines = substr($text, 0, $end);
		$to = $i === 1 ? $this->out : $this->err;
		$to->write($this->verbatim && $i === 1 ? $lines : Text::painted($lines));
		$to->flush();
		return substr($text, $end);
	}

	/** @param resource $process */
	private function end($process): int
	{
		if ($this->isAsked) {
			proc_terminate($process, 15);
		}
		for ($i = 0; $i < 100; $i++) {
			if ($this->hasEnded($process)) {
				return $this->ended['signaled'] ? 128 + $this->ended['termsig'] : $this->ended['exitcode'];
			}
			usleep(10_000);
		}
		proc_terminate($process, 9);
		return 1;
	}

	/** @param resource $process */
	private function hasEnded($process): bool
	{
		if ($this->ended === null) {
			$status = proc_get_status($process);
			$this->ended = $status['running'] ? null : $status;
		}
		return $this->ended !== null;
	}

	private function catchSignals(): void
	{
		if (function_exists('pcntl_async_signals')) {
			pcntl_async_signals(true);
			foreach ([SIGINT, SIGTERM, SIGHUP] as $signal) {
				pcntl_signal($signal, function (): void {
					$this->isAsked = true;
				});
			}
		}
	}
}
